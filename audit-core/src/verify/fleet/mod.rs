//! Many logs under one prefix, and copies of them in other stores.
//!
//! A [`Fleet`] verifies every log by itself, then compares: copies with what they are copies of,
//! and all of it with what an earlier run saw ([`FleetState`]). It opens nothing by itself; a
//! [`LogAt`] says how.

mod compare;
mod finding;
mod group;
mod history;
mod log_at;
mod place;
mod run;
mod settings;
mod state;
mod verdict;

pub use finding::FleetFinding;
pub use log_at::LogAt;
pub use settings::Fleet;
pub use state::{FleetState, FleetStateError, Seen};
pub use verdict::{FleetVerdict, LogVerdict};
