//! For the tests of those who use or write parts of a log: stores that fail on demand.

mod faults;
mod faulty_backend;

pub use faults::{Call, Fault, Faults};
pub use faulty_backend::FaultyBackend;
