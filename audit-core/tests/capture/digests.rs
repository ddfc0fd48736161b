use audit_core::capture::{BodyCapture, BodyFormat, Withheld};
use audit_core::evidence::Hash;

use crate::support::{capture_in, json};

#[test]
fn the_digest_is_that_of_the_whole_body_however_it_is_cut() {
    // FIPS 180-4, appendix B.1, and the same by `sha256sum`.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(json("abc").sha256().unwrap().to_hex(), abc);
    let body: Vec<u8> = (0..100_000_u32).map(|index| (index % 251) as u8).collect();
    for size in [1, 63, 64, 4_095, 4_096, 4_097, 100_000] {
        let captured = capture_in(&BodyCapture::new(), "application/octet-stream", &body, size);
        assert_eq!(captured.sha256(), Some(Hash::digest(&body)));
        assert_eq!(captured.bytes(), 100_000);
        assert_eq!(captured.withheld(), Some(Withheld::ContentType));
    }
}

#[test]
fn an_empty_body_that_has_ended_has_the_digest_of_nothing() {
    let captured = json("");
    assert_eq!(captured.sha256(), Some(Hash::digest(b"")));
    assert_eq!((captured.text(), captured.withheld(), captured.is_unread()), (None, None, false));
}

#[test]
fn a_body_whose_end_was_not_seen_is_unread_and_has_no_digest_of_the_whole() {
    let mut recorder = BodyCapture::new().recorder(Some(b"application/json"), None, BodyFormat::Http);
    recorder.update(b"{\"amount\":1,\"cur");
    let captured = recorder.finish();
    assert!(captured.is_unread());
    assert_eq!((captured.sha256(), captured.bytes()), (None, 16));
    assert_eq!(captured.seen_sha256(), Hash::digest(b"{\"amount\":1,\"cur"));
    assert_eq!((captured.text(), captured.is_cut()), (Some("{\"amount\":1"), true));
}

#[test]
fn bytes_after_the_end_take_the_end_back() {
    let mut recorder = BodyCapture::new().recorder(None, None, BodyFormat::Http);
    recorder.end();
    recorder.update(b"more");
    assert!(recorder.finish().is_unread());
}
