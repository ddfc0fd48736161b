//! The real servers that tests run against.
//!
//! Each is started in a temporary folder on free loopback ports, and stopped by its process id when
//! its value is dropped, or by a guardian when the process that started it dies in whatever way.
//! What is not installed is an error that says so: a missing server is a failure, never a skipped
//! test. `cargo xtask test` installs what is needed.

mod ceph;
mod moto;
mod nats;
mod nats_certificates;
mod pgbouncer;
mod port;
mod postgres;
mod process;
mod programs;
mod proxy;

/// Why a server could not be started, reached or stopped: a sentence for whoever runs the tests.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub use ceph::{Ceph, CephStore, CephUser};
pub use moto::Moto;
pub use nats::{Nats, NatsSetup};
pub use nats_certificates::{Certified, NatsCertificates};
pub use pgbouncer::PgBouncer;
pub use port::free_port;
pub use postgres::Postgres;
pub use process::{Process, wait_until};
pub use programs::{program, python_environment, python_program};
pub use proxy::{Mode, Proxy};
