//! Says, in the output of `cargo test`, what it left out.

fn main() {
    println!(
        "\n  Left out: what needs installed programs or the administrator's rights (full disks,\n  \
         failing syncs, the programs from outside). `cargo xtask test` installs and runs it all.\n"
    );
}
