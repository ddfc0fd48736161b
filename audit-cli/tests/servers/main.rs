//! The program and logs on real servers: what a service wrote there is verified, read and proved by URL.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod nats;
mod place;
mod postgres;
mod s3;
mod story;
