//! Many logs under one prefix, and copies of them in other stores.
//!
//! A [`Fleet`] verifies every log by itself, then compares: copies with what they are copies of,
//! and all of it with what an earlier run saw ([`FleetState`]). It opens nothing by itself; a
//! [`LogAt`] says how.

mod compare;
mod copies;
mod finding;
mod group;
mod history;
mod lag;
mod location;
mod log_at;
mod place;
mod run;
mod settings;
mod state;
mod verdict;
mod without_name;

pub use copies::Copies;
pub use finding::FleetFinding;
pub use log_at::LogAt;
pub use settings::Fleet;
pub use state::{FleetState, FleetStateError, Seen, SeenCopy};
pub use verdict::{FleetVerdict, LogVerdict};
