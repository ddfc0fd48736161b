//! Both stores of this crate keep the rules of a store.

use audit_core::backend::{Backend, Durability, File, Memory};
use audit_core::conformance::{self, Store};

struct InMemory(Memory);

impl Store for InMemory {
    fn writer(&mut self) -> Box<dyn Backend> {
        Box::new(self.0.clone())
    }
}

struct InDirectory {
    dir: tempfile::TempDir,
    segment_bytes: u64,
}

impl Store for InDirectory {
    fn writer(&mut self) -> Box<dyn Backend> {
        Box::new(File::new(self.dir.path().join("log")).segment_bytes(self.segment_bytes).min_free(0))
    }
}

#[test]
fn memory_keeps_every_rule() {
    conformance::run_all(|| Box::new(InMemory(Memory::new()))).unwrap();
    conformance::run_all(|| Box::new(InMemory(Memory::promising(Durability::Synced)))).unwrap();
}

#[test]
fn a_file_keeps_every_rule_whatever_the_size_of_its_segments() {
    for segment_bytes in [64 << 20, 100_000, 1] {
        conformance::run_all(|| Box::new(InDirectory { dir: tempfile::tempdir().unwrap(), segment_bytes })).unwrap();
    }
}
