//! Tamper-evident audit log: see the crate README for the tour.

pub mod backend;
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
