//! The store against real servers: moto enforces conditional writes, Ceph's gateway enforces locks.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod answers;
mod bucket;
mod conformance;
mod fixture;
mod fleet;
mod forks;
mod front;
mod grants;
mod hostile;
mod inspecting;
mod killed;
mod network;
mod opening;
mod primary;
mod tampering;
mod tls;
