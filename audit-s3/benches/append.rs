//! How fast batches are appended, against the same PUTs by the bare SDK, side by side.
//!
//! `S3_URL` names a log that is not there yet; its settings may stand in the URL. `S3_BATCHES` (200)
//! batches of `S3_BYTES` (65,536) bytes are written in turns. Prints one line of JSON; `ratio` is that of
//! the medians.

use std::error::Error;
use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_core::evidence::Hash;
use audit_s3::S3;
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Region, RequestChecksumCalculation};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumAlgorithm, ObjectLockMode};

/// How many batches one side writes before it is the other's turn.
const TURN: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("run by `cargo bench`, with S3_URL set");
        return Ok(());
    }
    let url = std::env::var("S3_URL")
        .map_err(|_| "S3_URL is not set: it names a log that is not there yet, s3://bucket/prefix/LOG?endpoint=…")?;
    let batches = number("S3_BATCHES", 200)?;
    let bytes = number("S3_BYTES", 65_536)?;
    let mut backend = S3::from_url(&url, &[])?;
    backend.open(soon())?;
    backend.create(VERIFIER_KEY, soon())?;
    let plain = Plain::new(&url)?;
    let (mut head, mut ours, mut theirs) = (Head::EMPTY, Vec::new(), Vec::new());
    let lines = (bytes / 400).max(1);
    let text = "x".repeat((bytes / lines).saturating_sub(160));
    for turn in 0..batches.div_ceil(TURN) {
        for at in 0..TURN {
            let sample = Sample::after(head).lines(lines, &text);
            let started = Instant::now();
            backend.append(head, &sample.batch(), soon())?;
            ours.push(started.elapsed());
            head = sample.head();
            let started = Instant::now();
            plain.put(&format!("{turn:06}-{at:03}"), sample.bytes())?;
            theirs.push(started.elapsed());
        }
    }
    let (ours, theirs) = (Times::of(ours), Times::of(theirs));
    println!(
        "{{\"batches\":{},\"bytes\":{bytes},\"records\":{},\"append\":{ours},\"sdk\":{theirs},\"ratio\":{:.3}}}",
        batches.div_ceil(TURN) * TURN,
        head.size,
        ours.median.as_secs_f64() / theirs.median.as_secs_f64()
    );
    Ok(())
}

/// The SDK by itself: the same bytes, the same lock, the same checksum.
struct Plain {
    runtime: tokio::runtime::Runtime,
    client: Client,
    bucket: String,
    prefix: String,
}

impl Plain {
    fn new(url: &str) -> Result<Self, Box<dyn Error>> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (bucket, path) = place.trim_start_matches("s3://").split_once('/').ok_or("the URL names no log")?;
        let setting = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.map(decoded)
        };
        let profile = setting("profile").unwrap_or_else(|| "default".to_owned());
        let (id, secret) = credentials(setting("credentials_file").as_deref(), &profile)?;
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(setting("region").unwrap_or_else(|| "us-east-1".to_owned())))
            .force_path_style(setting("endpoint").is_some())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .credentials_provider(Credentials::new(id, secret, None, None, "bench"));
        if let Some(endpoint) = setting("endpoint") {
            config = config.endpoint_url(endpoint);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (bucket, prefix) = (bucket.to_owned(), format!("{path}-bare"));
        Ok(Self { runtime, client: Client::from_conf(config.build()), bucket, prefix })
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        let until = DateTime::from(std::time::SystemTime::now() + Duration::from_secs(2 * 86_400));
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("{}/{name}", self.prefix))
            .if_none_match("*")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_sha256(Hash::digest(bytes).to_base64())
            .object_lock_mode(ObjectLockMode::Compliance)
            .object_lock_retain_until_date(until)
            .body(ByteStream::from(bytes.to_vec()));
        self.runtime.block_on(request.send())?;
        Ok(())
    }
}

/// A value of a URL without its percent escapes.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (escape, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        bytes.extend(u8::from_str_radix(escape, 16));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// From a profile in a file, or the environment.
fn credentials(file: Option<&str>, profile: &str) -> Result<(String, String), Box<dyn Error>> {
    let Some(file) = file else {
        return Ok((std::env::var("AWS_ACCESS_KEY_ID")?, std::env::var("AWS_SECRET_ACCESS_KEY")?));
    };
    let text = std::fs::read_to_string(file)?;
    let start = text.split(&format!("[{profile}]")).nth(1).ok_or("there is no such profile")?;
    let value = |name: &str| {
        let mut lines = start.lines().filter_map(|line| line.split_once('='));
        lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    Ok((value("aws_access_key_id").ok_or("no key")?, value("aws_secret_access_key").ok_or("no secret")?))
}

/// What one side took.
struct Times {
    total: Duration,
    median: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        let total = times.iter().sum();
        times.sort_unstable();
        Self { total, median: times.get(times.len() / 2).copied().unwrap_or_default() }
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (total, median) = (self.total.as_secs_f64(), self.median.as_secs_f64() * 1e3);
        write!(f, "{{\"seconds\":{total:.3},\"median_ms\":{median:.3}}}")
    }
}

fn number(name: &str, usual: usize) -> Result<usize, Box<dyn Error>> {
    std::env::var(name).map_or(Ok(usual), |value| Ok(value.parse()?))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}
