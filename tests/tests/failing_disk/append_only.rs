use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use audit_core::File;
use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};

use crate::disk::{Disk, lines};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn chattr(attribute: &str, path: &Path) {
    let status = Command::new("chattr").arg(attribute).arg(path).status().unwrap();
    assert!(status.success());
}

#[test]
fn an_append_only_segment_is_opened_and_appended_to_but_only_repaired_without_the_attribute() {
    let disk = Disk::of_megabytes(16);
    let dir = disk.path().join("log");
    let mut file = File::new(&dir).min_free(0);
    file.open(soon()).unwrap();
    file.create(VERIFIER_KEY, soon()).unwrap();
    let all = Sample::after(Head::EMPTY).lines(5, "x");
    file.append(Head::EMPTY, &all.batch(), soon()).unwrap();
    file.synchronizer().unwrap().publish(&all.checkpoint(5), &all.range(5), soon()).unwrap();
    drop(file);

    let segment = dir.join("segments/00000000000000000000.jsonl");
    chattr("+a", &segment);
    assert!(fs::write(&segment, "").is_err(), "the attribute does nothing here");
    let mut file = File::new(&dir).min_free(0);
    assert_eq!(file.open(soon()).unwrap().head, all.head());
    let more = Sample::after(all.head()).lines(5, "y");
    file.append(all.head(), &more.batch(), soon()).unwrap();
    drop(file);

    let error = File::new(&dir).open(soon()).unwrap_err();
    assert!(matches!(error, BackendError::Misconfigured { .. }), "{error}");
    assert!(error.to_string().contains("chattr -a"), "{error}");
    assert_eq!(lines(&dir), [all.bytes(), more.bytes()].concat());
    chattr("-a", &segment);
    assert_eq!(File::new(&dir).open(soon()).unwrap().head, more.head());
}
