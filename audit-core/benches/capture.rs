//! What capturing a body costs: time, beside that of `sha2` over the same bytes.
//!
//! `cargo bench -p audit-core --bench capture`. The two run in turns, and the middle one of the
//! ratios is shown.
#![allow(clippy::unwrap_used)] // a bench ends at the first surprise

use std::hint::black_box;
use std::time::Instant;

use audit_core::capture::{BodyCapture, BodyFormat, CapturedBody};
use sha2::{Digest, Sha256};

const ROUNDS: usize = 101;

/// What a server reads at a time.
const CHUNK: usize = 16 << 10;

fn main() {
    let upload: Vec<u8> = (0..1 << 20).map(|index: u32| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    compare("1 MiB upload, by digest", "application/octet-stream", &upload);
    let record = r#"{"id":"01a20991-8ca3-7b21","amount":1200,"currency":"EUR","note":"two of them","user":{"id":7,"token":"abc"}},"#;
    let items = record.repeat((1 << 20) / record.len());
    let document = format!("[{}]", items.trim_end_matches(','));
    compare("1 MiB of JSON, the first 4 KiB as text", "application/json", document.as_bytes());
    compare(
        "4 KiB of JSON, all of it as text",
        "application/json",
        format!("[{}]", &items[..record.len() * 36 - 1]).as_bytes(),
    );
    let names: Vec<String> = (0..450).map(|index| format!("\"x{index}\":1")).collect();
    compare("4 KiB of JSON, names and little else", "application/json", format!("{{{}}}", names.join(",")).as_bytes());
    compare("100 bytes of JSON", "application/json", &record.as_bytes()[..record.len() - 1]);
}

fn compare(name: &str, content_type: &str, body: &[u8]) {
    let settings = BodyCapture::new();
    let mut rounds: Vec<(f64, u64)> = (0..ROUNDS)
        .map(|_| {
            let hashed = time(|| Sha256::digest(body));
            let captured = time(|| capture(&settings, content_type, body));
            (captured as f64 / hashed as f64, captured.saturating_sub(hashed))
        })
        .collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, more) = rounds[ROUNDS / 2];
    println!("{name:<40} {ratio:>7.3} × sha2, {:>8.1} µs more", more as f64 / 1_000.0);
}

fn capture(settings: &BodyCapture, content_type: &str, body: &[u8]) -> CapturedBody {
    let mut recorder = settings.recorder(Some(content_type.as_bytes()), None, BodyFormat::Http);
    body.chunks(CHUNK).for_each(|chunk| recorder.update(chunk));
    recorder.end();
    recorder.finish()
}

/// How long `work` takes, in nanoseconds.
fn time<T>(work: impl Fn() -> T) -> u64 {
    let start = Instant::now();
    black_box(work());
    u64::try_from(start.elapsed().as_nanos()).unwrap()
}
