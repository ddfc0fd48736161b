//! Opening and closing the audit log of a server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_backends::Config;
use audit_core::capture::BodyCapture;
use audit_core::{AuditLog, File, Key, Policy};

use crate::Failure;
use crate::options::{Options, beside};

/// Opens the log that the command line names, and makes a signing key when none is given.
///
/// Blocks on the disk, or on other stores: call it before the server's runtime starts.
///
/// # Errors
///
/// When the key, the policy or the log itself cannot be had.
pub fn open(options: &Options) -> Result<AuditLog, Failure> {
    let place = options.place()?;
    let key = match &options.key {
        Some(file) => Key::from_file(file)?,
        None => own_key(&beside(place, "key"), &options.origin)?,
    };
    let builder = AuditLog::builder(options.origin.as_str()).key(key);
    let builder = match &options.config {
        Some(file) => Config::from_file(file)?.apply(builder)?,
        None => builder.backend(File::new(place)),
    };
    let mut builder = match &options.policy {
        // Read again whenever it changes.
        Some(file) => builder.policy_file(file),
        None => builder.policy(Policy::from_toml(include_str!("../policy.toml"))?),
    };
    if options.capture_bodies {
        builder = builder.capture_bodies(bodies()?);
    }
    Ok(builder.open()?)
}

/// How bodies are captured, where the policy asks for them.
fn bodies() -> Result<BodyCapture, Failure> {
    // Names of credentials are redacted anyway; that this is one, only the service knows.
    Ok(BodyCapture::new().redact_pointer("/card/number")?)
}

/// Closes the log, and says so when something was not written.
///
/// # Errors
///
/// When the log could not be closed in order.
pub async fn close(log: &AuditLog) -> Result<(), Failure> {
    let closed = log.close(CLOSE_DEADLINE).await?;
    eprintln!("the log is closed with {} records", closed.records);
    if closed.replicas_lack > 0 {
        eprintln!("a replica lacks {} of them, and gets them when the log is opened again", closed.replicas_lack);
    }
    Ok(())
}

/// Where the runs of handlers are counted: in `DIR.handled` for the log `DIR`, in `FILE.handled` for
/// one that the file `FILE` describes.
#[must_use]
pub fn handled(place: &Path) -> PathBuf {
    beside(place, "handled")
}

fn own_key(file: &Path, origin: &str) -> Result<Key, Failure> {
    if !file.exists() {
        let key = Key::generate(origin)?;
        key.write_new_file(file)?;
        let (file, verifier) = (file.display(), key.verifier());
        eprintln!("made the signing key {file} (0600); keep a real one away from the log");
        eprintln!("whoever checks the log needs its other half: {verifier}");
    }
    Ok(Key::from_file(file)?)
}

const CLOSE_DEADLINE: Duration = Duration::from_secs(10);
