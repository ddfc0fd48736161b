//! The real servers that tests run against.
//!
//! Each is started in a temporary folder on free loopback ports, and stopped by its process id when
//! its value is dropped, or by a guardian when the process that started it dies in whatever way.
//! What is not installed is an error that says so: a missing server is a failure, never a skipped
//! test. `cargo xtask test` installs what is needed.

mod port;
mod process;
mod programs;
mod proxy;

/// Why a server could not be started, reached or stopped: a sentence for whoever runs the tests.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub use port::free_port;
pub use process::{Process, wait_until};
pub use programs::{program, python_environment, python_program};
pub use proxy::{Mode, Proxy};
