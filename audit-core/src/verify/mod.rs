//! Checking a whole log, and reading it.
//!
//! A [`Verifier`] reads a log through a [`LogReader`] and gives a [`Verdict`]: one word, and typed
//! [`Finding`]s that say which record is wrong and why. It believes nothing but hashes and
//! signatures.
//!
//! ```no_run
//! use audit_core::{backend::FileReader, verify::Verifier};
//!
//! let log = FileReader::open("/var/lib/payments/audit")?;
//! let verdict = Verifier::new().run(&log);
//! println!("{}", verdict.judgement());
//! # Ok::<(), audit_core::verify::ReadError>(())
//! ```
//!
//! How it works, in reading order: `scan` hands chunks of lines to workers, `examine` is what
//! a worker does with one, `chain` follows the links from chunk to chunk, `life` listens to
//! what the log says of itself, `heads` checks signatures, and `judge` puts it together.
//! Many logs, and copies of them, are a [`Fleet`].

mod calls;
mod chain;
mod chunk;
mod counts;
mod examine;
mod faults;
mod finding;
mod findings;
mod fleet;
mod hashing;
mod heads;
mod inquiry;
mod judge;
mod life;
mod lines;
mod merge;
mod prove;
mod query;
mod reader;
mod recent;
mod roots;
mod scan;
mod stored_tiles;
mod strays;
mod subtree;
mod verdict;
mod verifier;

pub use finding::{Class, Finding, FindingKind};
pub use fleet::{
    Copies, Fleet, FleetFinding, FleetState, FleetStateError, FleetVerdict, LogAt, LogVerdict, Seen, SeenCopy,
};
pub use lines::Lines;
pub use merge::Merge;
pub use prove::{CheckError, ProofError, check, prove};
pub use query::{Query, Search};
pub use reader::{LineSource, LogReader, Piece, ReadError};
pub use verdict::{Judgement, KeySource, Verdict};
pub use verifier::{Progress, Verifier};
