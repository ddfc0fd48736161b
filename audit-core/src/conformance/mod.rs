//! The rules that every [`Backend`] has to keep, as functions that check them.
//!
//! For whoever writes a store: implement [`Store`] for your tests, call [`run_all`], and expect
//! `Ok`. Each rule is also a function of its own, to be run alone when it is broken. The stores of
//! this crate pass the same suite.
//!
//! ```
//! use audit_core::backend::{Backend, Memory};
//! use audit_core::conformance::{self, Store};
//!
//! struct InMemory(Memory);
//!
//! impl Store for InMemory {
//!     fn writer(&mut self) -> Box<dyn Backend> {
//!         Box::new(self.0.clone())
//!     }
//! }
//!
//! conformance::run_all(|| Box::new(InMemory(Memory::new())))?;
//! # Ok::<(), conformance::Violation>(())
//! ```
//!
//! What a suite cannot see from outside is left to the store's own tests: that the writer's
//! credentials allow neither update nor delete, that a server which hangs gives a typed error by
//! the deadline, and that what is synced outlives a power loss.

mod append;
mod publish;
mod read;
mod reopen;
mod sample;
mod wait;

use std::fmt;
use std::time::{Duration, Instant};

use crate::backend::{Backend, BackendError, Opened, Synchronizer};

pub use append::{
    a_batch_of_which_a_part_is_there_is_completed, a_second_writer_overwrites_nothing,
    append_is_conditional_on_the_head, other_lines_never_take_a_position, the_same_lines_again_are_recognised,
};
pub use publish::{
    a_checkpoint_is_never_replaced_by_an_older_one, a_checkpoint_survives_reopening, a_log_is_created_once,
    promises_are_kept,
};
pub use read::{
    a_read_returns_whole_lines_of_its_range, a_reader_sees_what_was_appended, reads_return_what_was_appended,
};
pub use reopen::{
    a_closed_log_needs_no_recovery, lines_after_the_checkpoint_are_adopted, reopening_yields_everything_acknowledged,
};
pub use sample::{Sample, VERIFIER_KEY};
pub use wait::a_deadline_that_has_passed_is_a_typed_error;

/// How long a call of a healthy store may take before the suite calls it hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// One empty store, and writers on it.
pub trait Store {
    /// A writer on the store, as another process would have it: not opened, sharing nothing with
    /// those before but the store itself.
    fn writer(&mut self) -> Box<dyn Backend>;
}

/// A rule that a store broke, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The function that found it.
    pub rule: &'static str,
    /// What was expected and what happened.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

impl std::error::Error for Violation {}

/// One rule.
type Rule = fn(&mut dyn Store) -> Result<(), Violation>;

const RULES: [Rule; 16] = [
    a_log_is_created_once,
    append_is_conditional_on_the_head,
    other_lines_never_take_a_position,
    a_second_writer_overwrites_nothing,
    the_same_lines_again_are_recognised,
    a_batch_of_which_a_part_is_there_is_completed,
    reads_return_what_was_appended,
    a_read_returns_whole_lines_of_its_range,
    a_reader_sees_what_was_appended,
    a_deadline_that_has_passed_is_a_typed_error,
    reopening_yields_everything_acknowledged,
    lines_after_the_checkpoint_are_adopted,
    a_closed_log_needs_no_recovery,
    promises_are_kept,
    a_checkpoint_survives_reopening,
    a_checkpoint_is_never_replaced_by_an_older_one,
];

/// Checks every rule, each on an empty store that `make` makes.
///
/// Blocks for as long as the store takes: a few hundred calls.
///
/// # Errors
///
/// The first rule that the store breaks.
pub fn run_all(mut make: impl FnMut() -> Box<dyn Store>) -> Result<(), Violation> {
    for rule in RULES {
        rule(make().as_mut())?;
    }
    Ok(())
}

/// The deadline of a call that is expected to succeed.
fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// One rule while it is being checked.
#[derive(Clone, Copy, Debug)]
struct Check(&'static str);

impl Check {
    fn violation(self, detail: impl Into<String>) -> Violation {
        Violation { rule: self.0, detail: detail.into() }
    }

    /// The value of a call that has to succeed.
    fn works<T>(self, doing: &str, result: Result<T, BackendError>) -> Result<T, Violation> {
        result.map_err(|error| self.violation(format!("{doing} failed: {error}")))
    }

    /// That `found` is `expected`.
    fn same<T: PartialEq + fmt::Debug>(self, what: &str, found: &T, expected: &T) -> Result<(), Violation> {
        if found == expected {
            return Ok(());
        }
        Err(self.violation(format!("{what}: expected {expected:?}, found {found:?}")))
    }

    /// That a call was refused because other bytes are there.
    fn conflicts<T: fmt::Debug>(self, doing: &str, result: Result<T, BackendError>) -> Result<(), Violation> {
        match result {
            Err(BackendError::Conflict { .. }) => Ok(()),
            other => Err(self.violation(format!("{doing}: expected a conflict, got {other:?}"))),
        }
    }

    /// A writer on an empty store, opened, with the log created.
    fn created(self, store: &mut dyn Store) -> Result<Box<dyn Backend>, Violation> {
        let mut writer = store.writer();
        self.works("opening an empty store", writer.open(soon()))?;
        self.works("creating a log", writer.create(VERIFIER_KEY, soon()))?;
        Ok(writer)
    }

    /// A new writer on a store whose last writer is gone.
    fn reopened(self, store: &mut dyn Store) -> Result<(Box<dyn Backend>, Opened), Violation> {
        let mut writer = store.writer();
        let opened = self.works("opening the log again", writer.open(soon()))?;
        Ok((writer, opened))
    }

    fn synchronizer(self, writer: &mut dyn Backend) -> Result<Box<dyn Synchronizer>, Violation> {
        self.works("taking the synchronizer", writer.synchronizer())
    }

    /// Appends `sample` to the log it continues.
    fn append(self, writer: &mut dyn Backend, sample: &Sample) -> Result<(), Violation> {
        let appended = writer.append(sample.before(), &sample.batch(), soon());
        self.works("appending", appended).map(drop)
    }

    /// That the log holds exactly `bytes`.
    fn holds(self, writer: &mut dyn Backend, bytes: &[u8], size: u64) -> Result<(), Violation> {
        let head = self.works("asking for the head", writer.head(soon()))?;
        self.same("the size of the log", &head.size, &size)?;
        let found = self.read_all(writer, size)?;
        if found == bytes {
            return Ok(());
        }
        Err(self.violation("the log does not hold the bytes that were appended"))
    }

    fn read_all(self, writer: &mut dyn Backend, size: u64) -> Result<Vec<u8>, Violation> {
        let mut all = Vec::new();
        let mut next = 0;
        while next < size {
            let bytes = self.works("reading", writer.read(next..size, soon()))?;
            if bytes.is_empty() {
                return Err(self.violation(format!("nothing to read at line {next} of {size}")));
            }
            next += memchr::memchr_iter(b'\n', &bytes).count() as u64;
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }
}
