//! How the program ends.

use std::fmt;
use std::process::ExitCode;

use crate::output;
use crate::safe_text::safe;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// 0: as it should be.
    AsItShouldBe,
    /// 1: the evidence says no.
    EvidenceSaysNo,
    /// 2: could not tell.
    CouldNotTell,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::AsItShouldBe => 0,
            Ending::EvidenceSaysNo => 1,
            Ending::CouldNotTell => 2,
        })
    }
}

/// Why the program could not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// Says so: to people on standard error, to programs also as JSON.
    pub(crate) fn report(&self, json: bool) {
        eprintln!("audit: {}", safe(&self.0));
        if json {
            let _ = output::json(&serde_json::json!({ "error": self.0 }));
        }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
