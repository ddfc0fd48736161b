//! Set-up, tests, measurements and checks of this repository: `cargo xtask help`.

mod arguments;
mod bench;
mod ci;
mod command;
mod crash;
mod framework;
mod fuzz;
mod http;
mod install;
mod load;
mod server;
mod servers;
mod smoke;
mod test;
mod token;

use std::process::ExitCode;

use command::Result;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, options) = match arguments.split_first() {
        Some((task, options)) => (task.as_str(), options),
        None => ("help", &[][..]),
    };
    match run(task, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ncargo xtask {task}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &str, options: &[String]) -> Result {
    match task {
        "test" => test::run(options),
        "ci" => ci::run(options),
        "crash" => crash::run(options),
        "bench" => bench::run(options),
        "fuzz" => fuzz::run(options),
        "servers" => servers::run(options),
        "smoke" => smoke::run(options),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("no such task; these exist:\n\n{HELP}").into()),
    }
}

const HELP: &str = "\
cargo xtask test                 installs what the tests need, real servers too, runs all, counts them
cargo xtask ci [CHECK...]        the static checks: all, or those named
cargo xtask crash [--rounds N] [--server axum|actix|tonic]
                                 kills each example server N times under load, then checks the log
cargo xtask bench [--backends] [--json] [--quick]
                                 measures the budgets side by side, or those of the stores on real
                                 servers; fails when a floor is missed
cargo xtask fuzz [--minutes N] [--target NAME] [--keep]
                                 makes up input for what reads a stranger's bytes
cargo xtask servers up|down      keeps the real servers for work by hand, and prints their URLs
cargo xtask smoke                the example and the `audit` program, from outside";
