//! Feeds made-up bytes to the target that the environment names. Started by `cargo xtask fuzz`.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tests::hostile_input::{Target, target};

static TARGET: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("FUZZ_TARGET={name:?} is no target: run `cargo xtask fuzz`"))
}

fuzz_target!(|data: &[u8]| (TARGET.get_or_init(chosen).check)(data));
