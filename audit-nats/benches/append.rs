//! Appending to a log in NATS, against a plain client that publishes the same batches.
//!
//! Side by side in one run, in turns: `Nats::append`, one batch after the other as a log calls it, and
//! `async-nats` with up to 64 publishes on their way and every acknowledgement awaited. Prints one JSON
//! object for each size of batch, the last of them for what a busy log makes; `ratio` is ours by theirs. `read_mb_s`
//! is how fast `NatsReader` brings the same lines back.
//!
//! | variable | is |
//! |---|---|
//! | `AUDIT_NATS_URL` | `nats://HOST:PORT/STREAM[?option=value&...]`, with rights to make the stream |
//! | `AUDIT_NATS_ROUNDS` | how many turns each takes, 5 |
//! | `AUDIT_NATS_MEBIBYTES` | how much each turn appends, 64 |
//! | `AUDIT_NATS_BATCHES` | bytes of the batches of each comparison, `16384,131072,524288` |

use std::collections::VecDeque;
use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use async_nats::jetstream;
use audit_core::backend::{Backend as _, Batch, Head};
use audit_core::evidence::Hash;
use audit_core::record::line::leaf;
use audit_core::verify::{LogReader as _, Piece};
use audit_nats::{Nats, NatsReader, NewStream};
use bytes::Bytes;

/// The bytes of one record, its line feed included.
const RECORD: usize = 400;

/// The sizes of batches: a small one, one between, and what a busy log makes of its own.
const SIZES: &str = "16384,131072,524288";

/// How many publishes of the plain client are on their way.
const WINDOW: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo test` runs benches too, without a server.
    let Ok(url) = std::env::var("AUDIT_NATS_URL") else {
        println!("{{\"skipped\":\"AUDIT_NATS_URL is not set\"}}");
        return Ok(());
    };
    let number =
        |name: &str, default: usize| std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(default);
    let rounds = number("AUDIT_NATS_ROUNDS", 5);
    let bytes = number("AUDIT_NATS_MEBIBYTES", 64) << 20;
    NewStream::from_url(&url, &[])?.create(Duration::from_secs(30))?;
    let sizes = std::env::var("AUDIT_NATS_BATCHES").unwrap_or_else(|_| SIZES.to_owned());
    for size in sizes.split(',') {
        measure(&url, size.parse()?, bytes, rounds)?;
    }
    Ok(())
}

fn measure(url: &str, size: usize, bytes: usize, rounds: usize) -> Result<(), Box<dyn Error>> {
    let batches = batches(size, bytes);
    let total: usize = batches.iter().map(|batch| batch.bytes.len()).sum();
    let (mut ours, mut theirs, mut read) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let name = format!("bench-{}-{size}-{round}", stamp());
        ours.push(rate(total, append(&with_log(url, &name), &batches)?));
        theirs.push(rate(total, publish(url, &name, &batches)?));
        read.push(rate(total, read_back(&with_log(url, &name), total)?));
    }
    let (ours, theirs, read) = (median(&mut ours), median(&mut theirs), median(&mut read));
    let records = |rate: f64| rate * 1e6 / RECORD as f64;
    println!(
        "{{\"bench\":\"nats append\",\"batch_bytes\":{size},\"append_mb_s\":{ours:.1},\"plain_mb_s\":{theirs:.1},\
         \"append_records_s\":{:.0},\"plain_records_s\":{:.0},\"read_mb_s\":{read:.1},\"ratio\":{:.2}}}",
        records(ours),
        records(theirs),
        ours / theirs
    );
    Ok(())
}

/// Appends all batches to a new log, as a log's sequencer does.
fn append(url: &str, batches: &[Lines]) -> Result<Duration, Box<dyn Error>> {
    let soon = || Instant::now() + Duration::from_secs(60);
    let mut backend = Nats::from_url(url, &[])?;
    backend.open(soon())?;
    backend.create("bench+00+AA==", soon())?;
    let mut head = Head::EMPTY;
    let started = Instant::now();
    for lines in batches {
        let batch = Batch::new(lines.first, &lines.bytes, &lines.ends, &lines.leaves, false);
        backend.append(head, &batch, soon())?;
        head = batch.head().unwrap_or(head);
    }
    Ok(started.elapsed())
}

/// Publishes the same bytes with a plain client.
fn publish(url: &str, name: &str, batches: &[Lines]) -> Result<Duration, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let address = url.split('/').nth(2).unwrap_or_default().to_owned();
    let prefix = url.split("subject_prefix=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or("audit");
    let subject = format!("{prefix}.{name}.plain");
    let payloads: Vec<Bytes> = batches.iter().map(|lines| Bytes::copy_from_slice(&lines.bytes)).collect();
    runtime.block_on(async {
        let context = jetstream::new(async_nats::connect(address).await?);
        let started = Instant::now();
        let mut waiting = VecDeque::new();
        for payload in payloads {
            waiting.push_back(context.publish(subject.clone(), payload).await?);
            if waiting.len() >= WINDOW
                && let Some(oldest) = waiting.pop_front()
            {
                oldest.await?;
            }
        }
        for acknowledgement in waiting {
            acknowledgement.await?;
        }
        Ok(started.elapsed())
    })
}

/// Reads all lines of the log.
fn read_back(url: &str, expected: usize) -> Result<Duration, Box<dyn Error>> {
    let reader = NatsReader::from_url(url, &[])?;
    let started = Instant::now();
    let mut lines = reader.lines(0)?;
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    while let Piece::Bytes(count) = lines.read(&mut buffer)? {
        bytes += count;
    }
    if bytes == expected { Ok(started.elapsed()) } else { Err(format!("read {bytes} bytes of {expected}").into()) }
}

/// One batch with what the log knows of it.
struct Lines {
    first: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    leaves: Vec<Hash>,
}

fn batches(size: usize, bytes: usize) -> Vec<Lines> {
    let mut made = Vec::new();
    let (mut seq, mut prev) = (0, Hash::ZERO);
    for _ in 0..bytes / size {
        let mut lines = Lines { first: seq, bytes: Vec::new(), ends: Vec::new(), leaves: Vec::new() };
        while lines.bytes.len() + RECORD <= size {
            let start = lines.bytes.len();
            let frame = format!("{{\"v\":1,\"seq\":{seq},\"prev\":\"{}\",\"x\":\"", prev.to_hex());
            lines.bytes.extend_from_slice(frame.as_bytes());
            lines.bytes.resize(start + RECORD - 3, b'x');
            lines.bytes.extend_from_slice(b"\"}");
            prev = leaf(lines.bytes.get(start..).unwrap_or_default());
            lines.leaves.push(prev);
            lines.bytes.push(b'\n');
            lines.ends.push(lines.bytes.len());
            seq += 1;
        }
        made.push(lines);
    }
    made
}

/// The URL of a log in the stream.
fn with_log(url: &str, name: &str) -> String {
    match url.split_once('?') {
        Some((stream, query)) => format!("{stream}/{name}?{query}"),
        None => format!("{url}/{name}"),
    }
}

fn stamp() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

/// Megabytes a second.
fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
