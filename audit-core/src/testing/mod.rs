//! For the tests of those who record into a log, or write a part of one.
//!
//! * [`TestLog`] is a log in memory that can be asked what was recorded.
//! * [`FaultyBackend`] is a store that fails, hangs or fills as its [`Faults`] say.

mod faults;
mod faulty_backend;
mod test_log;

pub use faults::{Call, Fault, Faults};
pub use faulty_backend::FaultyBackend;
pub use test_log::TestLog;
