//! Hashing a body while it streams through a recorder, and hashing the same bytes with nothing else.

use std::time::{Duration, Instant};

use audit_core::capture::{BodyCapture, BodyFormat};
use sha2::{Digest, Sha256};

use crate::Failure;

const BODY: usize = 1 << 20;
/// What a server reads at a time.
const CHUNK: usize = 16 << 10;

/// Prints how many nanoseconds one body takes, recorded and hashed, in turns.
pub(crate) fn measure(bodies: u32) -> Result<(), Failure> {
    let capture = BodyCapture::new();
    let mut body = br#"{"amount":42,"note":""#.to_vec();
    body.resize(BODY - 2, b'x');
    body.extend(br#""}"#);
    let mut recording = Duration::ZERO;
    let mut hashing = Duration::ZERO;
    for _ in 0..bodies {
        let start = Instant::now();
        let mut recorder = capture.recorder(Some(b"application/json"), None, BodyFormat::Http);
        body.chunks(CHUNK).for_each(|chunk| recorder.update(chunk));
        recorder.end();
        let captured = recorder.finish();
        recording += start.elapsed();

        let start = Instant::now();
        let mut digest = Sha256::new();
        body.chunks(CHUNK).for_each(|chunk| digest.update(chunk));
        let digest = digest.finalize();
        hashing += start.elapsed();
        if captured.sha256().is_none_or(|recorded| recorded.as_bytes()[..] != digest[..]) {
            return Err("the digests differ".into());
        }
    }
    println!(r#"{{"recorded_ns":{},"hashed_ns":{}}}"#, per_body(recording, bodies), per_body(hashing, bodies));
    Ok(())
}

fn per_body(time: Duration, bodies: u32) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(bodies.max(1))
}
