use audit_core::capture::{BodyCapture, BodyFormat, CapturedBody};
use audit_core::evidence::Hash;

/// A message as gRPC frames it.
fn frame(flag: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![flag];
    frame.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

fn capture(stream: &[u8], size: usize) -> CapturedBody {
    let mut recorder = BodyCapture::new().recorder(Some(b"application/grpc"), Some(b"gzip"), BodyFormat::Grpc);
    stream.chunks(size).for_each(|chunk| recorder.update(chunk));
    recorder.end();
    recorder.finish()
}

#[test]
fn messages_are_hashed_one_by_one_wherever_the_stream_is_cut() {
    let payloads: [&[u8]; 4] = [b"abc", b"", b"defgh", &[7; 300]];
    let stream: Vec<u8> = payloads.iter().flat_map(|payload| frame(u8::from(payload.len() == 5), payload)).collect();
    for size in 1..=stream.len() {
        let captured = capture(&stream, size);
        assert_eq!(captured.sha256(), Some(Hash::digest(&stream)));
        assert_eq!((captured.message_count(), captured.has_partial_message()), (Some(4), false));
        assert_eq!((captured.text(), captured.withheld(), captured.encoding()), (None, None, Some("gzip")));
        let found: Vec<_> = captured.messages().iter().map(|message| (message.bytes, message.sha256)).collect();
        let expected: Vec<_> = payloads.iter().map(|payload| (payload.len() as u32, Hash::digest(payload))).collect();
        assert_eq!(found, expected);
        let compressed: Vec<_> = captured.messages().iter().map(|message| message.compressed).collect();
        assert_eq!(compressed, [false, false, true, false]);
    }
}

#[test]
fn the_first_messages_are_kept_and_all_are_counted() {
    let stream = frame(0, b"x").repeat(20);
    let captured = capture(&stream, 7);
    assert_eq!((captured.messages().len(), captured.message_count()), (8, Some(20)));
    for (limit, kept) in [(0, 0), (3, 3), (64, 20)] {
        let capture = BodyCapture::new().messages(limit).unwrap();
        let mut recorder = capture.recorder(Some(b"application/grpc"), None, BodyFormat::Grpc);
        recorder.update(&stream);
        let captured = recorder.finish();
        assert_eq!((captured.messages().len(), captured.message_count()), (kept, Some(20)));
        assert!(captured.is_unread());
    }
}

#[test]
fn a_message_that_is_cut_is_not_counted_and_is_told() {
    let stream = [frame(0, b"abc"), frame(0, b"defgh")].concat();
    for length in 8..stream.len() {
        let captured = capture(&stream[..length], 64);
        assert_eq!(captured.message_count(), Some(1), "{length}");
        assert_eq!(captured.has_partial_message(), length > 8, "{length}");
    }
}

#[test]
fn a_length_that_lies_costs_nothing() {
    let captured = capture(&[0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3], 3);
    assert_eq!((captured.message_count(), captured.has_partial_message()), (Some(0), true));
    assert_eq!(captured.bytes(), 8);
}

#[test]
fn behind_an_unknown_flag_nothing_is_counted() {
    let stream = [frame(0, b"abc"), frame(2, b"de"), frame(0, b"f")].concat();
    let captured = capture(&stream, 4);
    assert_eq!((captured.message_count(), captured.has_partial_message()), (Some(1), true));
    assert_eq!(captured.sha256(), Some(Hash::digest(&stream)));
}

#[test]
fn trailers_of_grpc_web_are_no_message() {
    let stream = [frame(0, b"abc"), frame(0x80, b"grpc-status:0\r\n")].concat();
    let captured = capture(&stream, 5);
    assert_eq!((captured.message_count(), captured.has_partial_message()), (Some(1), false));
}

#[test]
fn grpc_web_in_base64_is_kept_by_digest() {
    let mut recorder = BodyCapture::new().recorder(Some(b"application/grpc-web-text+proto"), None, BodyFormat::Grpc);
    recorder.update(b"AAAAAAA=");
    recorder.end();
    let captured = recorder.finish();
    assert_eq!((captured.message_count(), captured.sha256()), (None, Some(Hash::digest(b"AAAAAAA="))));
}
