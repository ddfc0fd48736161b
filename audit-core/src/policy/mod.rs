//! Which calls are recorded, how durably, and what happens when they cannot be.
//!
//! A [`Policy`] is an ordered list of [`Rule`]s. The first rule whose conditions all hold for a
//! [`Subject`] decides; the last one, `default`, holds for everybody and cannot be removed.
//! Whoever calls under a claim that nobody checked is treated like a stranger, and a path that is
//! spelled oddly never gets a weaker rule than the same path spelled plainly.
//!
//! Nothing here does I/O except reading a policy file, and nothing reads a clock.

mod conditions;
mod coverage;
mod deadline;
mod demands;
mod difference;
mod error;
mod explanation;
mod file;
mod meaning;
mod mistake;
mod name_index;
mod name_pattern;
mod parse;
mod path;
mod path_index;
mod path_pattern;
mod rule;
mod rule_set;
mod rules;
mod subject;
mod table;

pub use difference::Difference;
pub use error::PolicyError;
pub use explanation::{Explanation, Mismatch, PassedOver};
pub(crate) use file::Reading;
pub use mistake::Mistake;
pub use rule::{Level, OnFailure, Rule};
pub use rules::Policy;
pub use subject::Subject;
pub(crate) use table::Applicable;
