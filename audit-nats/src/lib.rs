//! NATS JetStream as a store of the audit log: one message for each batch.
//!
//! A log is three subjects of one stream: `<prefix>.<LOG>.lines` holds the exact bytes of the lines, one
//! message for each batch; `<prefix>.<LOG>.checkpoints` the signed checkpoints; `<prefix>.<LOG>.key` the
//! verifier key. The stream itself keeps a second writer out: each message names the one that it has to
//! follow.
//!
//! ```no_run
//! use audit_core::{AuditLog, Key};
//! use audit_nats::Nats;
//!
//! let url = "tls://nats-1.example.com,nats-2.example.com/AUDIT/payments/prod-1?nkey_file=/run/secrets/nats.nk";
//! let log = AuditLog::builder("payments.example.com/prod-1")
//!     .key(Key::from_file("audit.key")?)
//!     .backend(Nats::from_url(url, &[])?.sync_always(true).required_replicas(3))
//!     .open()?;
//! # drop(log);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a receipt means, which settings the stream needs and why, what all of it costs and what it does
//! not protect from: `docs/backends/nats.md`.
//!
//! How it works, in reading order: `target` is the URL, `connection` asks one question and knows when no
//! answer will come, `api` has the two questions of JetStream that are asked, `opening` and
//! `requirements` refuse a stream that cannot keep a log, `appender` appends, `synchronizer` publishes
//! checkpoints and looks after the stream, `walk` reads many messages at a time, and `reader` is the
//! reading side.

mod api;
mod appender;
mod checkpoint_message;
mod connection;
mod credentials;
mod facts;
mod grants;
mod inspection;
mod line_source;
mod lines;
mod lines_message;
mod link;
mod locate;
mod log_name;
mod logs;
mod message_size;
mod nats;
mod new_stream;
mod opening;
mod publish;
mod reader;
mod requirements;
mod rights;
mod runtime;
mod small_file;
mod stream_findings;
mod stream_info;
mod subjects;
mod synchronizer;
mod tail;
mod target;
mod tls;
mod told;
mod trouble;
mod url;
mod url_error;
mod walk;

pub use grants::{Role, grants};
pub use logs::logs;
pub use nats::Nats;
pub use new_stream::NewStream;
pub use reader::NatsReader;
pub use url_error::UrlError;
