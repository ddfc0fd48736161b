//! The file backend: what lies on disk, and what a new writer makes of it.

use std::time::{Duration, Instant};

use audit_core::backend::{Backend, Batch, File, Head};
use audit_core::evidence::CompactRange;
use audit_core::record::line::leaf;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[test]
fn lines_are_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = File::new(dir.path().join("log")).segment_bytes(1000);
    assert_eq!(file.open(soon()).unwrap().head, Head::EMPTY);
    file.create("example.com/log+00000000+AA==", soon())
        .unwrap();
    let mut synchronizer = file.synchronizer().unwrap();
    let mut head = Head::EMPTY;
    let mut range = CompactRange::new();
    let mut all = Vec::new();
    for n in 0..20 {
        let line = format!(
            "{{\"v\":1,\"seq\":{n},\"prev\":\"{}\",\"kind\":\"event\"}}",
            head.leaf
        );
        let hash = leaf(line.as_bytes());
        let bytes = format!("{line}\n").into_bytes();
        let ends = [bytes.len()];
        let leaves = [hash];
        let batch = Batch::new(n, &bytes, &ends, &leaves, false);
        file.append(head, &batch, soon()).unwrap();
        file.append(head, &batch, soon()).unwrap();
        head = batch.head().unwrap();
        range.push(hash);
        all.extend_from_slice(&bytes);
        if n == 15 {
            let note = format!(
                "example.com/log\n16\n{}\n\n— x AAAA\n",
                range.root().to_base64()
            );
            synchronizer
                .publish(note.as_bytes(), &range, soon())
                .unwrap();
        }
    }
    synchronizer.sync(soon()).unwrap();
    drop(file);
    drop(synchronizer);
    let mut file = File::new(dir.path().join("log"));
    let opened = file.open(soon()).unwrap();
    assert_eq!(opened.head, head);
    assert_eq!(opened.recovery.unwrap().adopted, 4);
    assert_eq!(opened.signed_range.unwrap().size(), 16);
    let mut read = Vec::new();
    let mut next = 0;
    while next < 20 {
        let bytes = file.read(next..20, soon()).unwrap();
        next += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        read.extend_from_slice(&bytes);
    }
    assert_eq!(read, all);
}
