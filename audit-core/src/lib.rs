//! A tamper-evident audit log: what callers asked for, recorded before it happens, and how it ended.
//!
//! An [`AuditLog`] takes an intent before the work and an outcome after it. Records become lines of
//! JSON, each with the hash of the line before; all lines are leaves of one Merkle tree (RFC 6962)
//! whose root is signed (C2SP checkpoint, Ed25519). Anyone with the public key can check that.
//!
//! ```
//! use std::time::Duration;
//!
//! use audit_core::verify::Verifier;
//! use audit_core::{Actor, AuditLog, Event, File, Key, Outcome, OutcomeResult, backend::FileReader};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let directory = folder.path().join("audit");
//! // Blocks on the disk: open a log before serving.
//! let log = AuditLog::builder("payments.example.com/prod-1")
//!     .key(Key::generate("payments.example.com/prod-1")?) // a real one: `audit keygen`, `Key::from_file`
//!     .backend(File::new(&directory))
//!     .open()?;
//!
//! let event = Event::action("ledger.rotate").resource("ledger/7").actor(Actor::service_account("settler"));
//! let activity = log.begin(&event).await?; // the intent is on stable storage
//! // … the work …
//! activity.finish(Outcome::new(OutcomeResult::Success)); // dropped without this: `cancelled`
//!
//! log.close(Duration::from_secs(10)).await?;
//!
//! let verdict = Verifier::new().run(&FileReader::open(&directory)?);
//! println!("{}", verdict.judgement());
//! # assert_eq!(verdict.judgement().to_string(), "intact");
//! # Ok(()) }
//! ```
//!
//! Services rarely call it like this: `audit-tower`, `audit-actix` and `audit-tracing` do it for
//! every call of a server. Futures here need no runtime, any executor may poll them; a log has
//! three threads of its own, one for each replica and one for a policy file.
//!
//! # Where things are
//!
//! * [`log`]: [`AuditLog`], its limits, and the guards and futures that it hands out.
//! * [`record`]: [`Event`], [`Outcome`], [`Actor`], and a strict parser of lines.
//! * [`policy`]: which calls are recorded, how durably, and what happens when they cannot be.
//!   Without one, every call is `synced` within a second, or refused.
//! * [`identity`], [`capture`] and [`redaction`]: who is asking, with which bodies, and what is left out.
//! * [`backend`]: where lines are kept, [`File`] and [`Memory`], and what [`Durability`] means. Stores on
//!   other machines are crates of their own: `audit-s3`, `audit-nats`, `audit-postgres`.
//! * [`log::Replica`]: further places for the same lines, filled from the first.
//! * [`adapter`]: what the adapters of web frameworks share.
//! * [`key`] and [`evidence`]: keys, the tree, checkpoints, proofs. No I/O, no clock.
//! * [`verify`]: checking, searching and proving a log that somebody else wrote.
//!
//! # Features
//!
//! None is on by default, and none changes what the crate does without it.
//!
//! * `testing`: a log in memory that can be asked what was recorded, and stores that fail on demand.
//! * `conformance`: the rules that every backend keeps, as functions that check them.
//! * `jwt`: `identity::JwtVerifier`, bearer tokens whose signatures are checked.
//! * `x509`: `identity::ClientCertificate`, callers known by a TLS client certificate.
//!
//! # What it does not protect against
//!
//! Whoever owns the process from the start can refrain from recording. Whoever has the host and the
//! signing key can rewrite everything that was never copied elsewhere. A rollback of the whole
//! directory cannot be told from the directory alone: give the log a replica, or keep a checkpoint in
//! another place.

pub mod adapter;
pub mod backend;
pub mod capture;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod evidence;
pub mod identity;
pub mod key;
pub mod log;
pub mod policy;
pub mod record;
pub mod redaction;
#[cfg(feature = "testing")]
pub mod testing;
pub mod verify;

pub use backend::{Durability, File, Memory};
pub use key::{Key, VerifierKey};
pub use log::{Activity, AuditLog, CurrentActivity, Receipt, Refused};
pub use policy::Policy;
pub use record::{Actor, ActorType, Event, Outcome, OutcomeResult};
