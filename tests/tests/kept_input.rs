//! What the fuzzer kept, replayed: inputs that once reached a new corner, or broke something.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot read its input has failed")]

use std::path::{Path, PathBuf};

use tests::hostile_input::TARGETS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

#[test]
fn nothing_that_the_fuzzer_kept_breaks_a_reader() {
    for target in TARGETS {
        let folder = corpus().join(target.name);
        let mut inputs = 0;
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            let result = std::panic::catch_unwind(|| (target.check)(&input));
            assert!(result.is_ok(), "{} breaks {}", path.display(), target.name);
            inputs += 1;
        }
        assert!(inputs >= 5, "{} holds {inputs} inputs", folder.display());
    }
}

#[test]
fn every_folder_of_kept_input_has_a_target() {
    for entry in std::fs::read_dir(corpus()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(TARGETS.iter().any(|target| *target.name == *name), "no target reads {}", name.display());
    }
}
