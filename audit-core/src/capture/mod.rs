//! Bodies: a digest of all of it while it streams, and a redacted beginning.
//!
//! [`BodyCapture`] says what is kept and is given to the log; an adapter makes a [`BodyRecorder`]
//! for each body, shows it every chunk that passes, and hands the [`CapturedBody`] to the outcome.
//!
//! ```no_run
//! use audit_core::capture::BodyCapture;
//! use audit_core::redaction::LogSecret;
//! use audit_core::{AuditLog, File, Key, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let capture = BodyCapture::new()
//!     .redact_pointer("/card/number")?
//!     .redact_name("*iban*")?
//!     .secret(LogSecret::from_file("/etc/payments/audit.secret")?)
//!     .correlate_name("customer_id")?;
//! let log = AuditLog::builder("payments.example.com/prod-1")
//!     .key(Key::from_file("audit.key")?)
//!     .backend(File::new("/var/lib/payments/audit"))
//!     .policy(Policy::from_file("policy.toml")?)
//!     .capture_bodies(capture)
//!     .open()?;
//! # Ok(()) }
//! ```
//!
//! What may be trusted:
//!
//! * A digest called `request_sha256` or `response_sha256` is that of the whole body as it was on
//!   the wire of the adapter. A body whose end was not seen has none.
//! * Text is kept only when it is understood: JSON and forms, whole values, after redaction.
//!   Whatever is in doubt is left out, and the record says why.
//! * Nothing is buffered but the first bytes, as many as the prefix is long, within an amount of
//!   memory that all bodies share.

mod body_capture;
mod body_format;
mod captured_body;
mod content_coding;
mod error;
mod grpc_messages;
mod kept_prefix;
mod media_type;
mod recorder;
mod shared_memory;
mod withheld;

pub use body_capture::BodyCapture;
pub use body_format::BodyFormat;
pub use captured_body::{CapturedBody, CapturedMessage};
pub use error::CaptureError;
pub use recorder::BodyRecorder;
pub use withheld::Withheld;
