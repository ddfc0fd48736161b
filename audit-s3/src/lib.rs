//! S3 Object Lock as a store of the audit log: one locked object for each group commit.
//!
//! [`S3`] is a [`Backend`](audit_core::backend::Backend), as a primary or a replica; [`S3Reader`] is the
//! reading side, for `audit_core::verify`. What is acknowledged under
//! [`LockMode::Compliance`] nobody can delete before its date, the account's owner included.
//!
//! ```no_run
//! use audit_core::{AuditLog, Key};
//! use audit_s3::{LockMode, S3};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = S3::new("audit-logs", "payments/prod-1")?
//!     .region("eu-central-1")
//!     .retention(LockMode::Compliance, 400);
//! let log = AuditLog::builder("payments.example.com/prod-1")
//!     .key(Key::from_file("audit.key")?)
//!     .backend(backend)
//!     .open()?;
//! # drop(log);
//! # Ok(()) }
//! ```
//!
//! Credentials come from the environment or a file, never from a URL. The bucket has to have
//! versioning and Object Lock, the store has to honour `If-None-Match` (or is a replica that
//! [detects forks](S3::detect_forks)), and the credentials must not be able to delete: otherwise the
//! log does not open, and the error says what to do. [`grants`] prints the policy that is enough.
//!
//! The life of a record, every setting, what it costs and what it does not protect:
//! [`docs/backends/s3.md`](https://github.com/audit-log-rs/audit-log/blob/main/docs/backends/s3.md).
//!
//! # Where things are
//!
//! * `s3`, `open`, `probe`, `bucket`, `chain`: taking a log, and refusing a store that is unsafe.
//! * `writer`, `put`, `synchronizer`, `inspection`: appending, checkpoints, looking after the bucket.
//! * `versions`, `search`, `objects`, `line_reader`: finding and reading objects by their versions.
//! * `s3_reader`, `survey`, `fleet`: for verifiers.
//! * `client`, `credentials`, `fault`, `runtime`: speaking to the store.
//! * `location`, `settings`, `layout`, `retention`, `grants`: names, settings, policies.

mod bucket;
mod chain;
mod client;
mod credentials;
mod fault;
mod fleet;
mod grants;
mod inspection;
mod layout;
mod line_reader;
mod location;
mod lock_mode;
mod objects;
mod open;
mod probe;
mod put;
mod reading;
mod retention;
mod runtime;
mod s3;
mod s3_reader;
mod search;
mod settings;
mod shared;
mod store;
mod survey;
mod synchronizer;
mod url_error;
mod versions;
mod writer;

pub use fleet::logs;
pub use grants::{Role, grants};
pub use lock_mode::LockMode;
pub use s3::S3;
pub use s3_reader::S3Reader;
pub use url_error::UrlError;
