//! Tests that cross crates.

#[expect(clippy::expect_used, reason = "a target tells the fuzzer by a panic what does not hold")]
pub mod hostile_input;

/// The code of the README, which compiles as it stands there.
#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/readme.md"))]
pub mod readme {}

/// The documentation tests run last of all, so the name of this one is the last that
/// `cargo test --workspace` prints. It holds as long as the task exists.
///
/// ```
/// let aliases = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../.cargo/config.toml"));
/// assert!(aliases.contains("xtask = "));
/// let tasks = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../xtask/src/main.rs"));
/// assert!(tasks.contains("cargo xtask test"));
/// ```
pub mod the_rest_is_run_by_cargo_xtask_test {}
