#![doc = include_str!("../README.md")]
//!
//! [`S3`] is a [`Backend`](audit_core::backend::Backend), as a primary or a replica; [`S3Reader`] is the
//! reading side, for `audit_core::verify`.
//!
//! # Where things are
//!
//! * `s3`, `open`, `probe`, `bucket`, `chain`: taking a log, and refusing a store that is unsafe.
//! * `writer`, `put`, `synchronizer`, `inspection`: appending, checkpoints, looking after the bucket.
//! * `versions`, `search`, `objects`, `line_reader`: finding and reading objects by their versions.
//! * `s3_reader`, `survey`, `fleet`: for verifiers.
//! * `client`, `credentials`, `fault`, `runtime`: speaking to the store.
//! * `location`, `settings`, `layout`, `retention`, `grants`: names, settings, policies.

mod bucket;
mod chain;
mod client;
mod credentials;
mod fault;
mod fleet;
mod grants;
mod inspection;
mod layout;
mod line_reader;
mod location;
mod lock_mode;
mod objects;
mod open;
mod patrol;
mod probe;
mod put;
mod reading;
mod retention;
mod runtime;
mod s3;
mod s3_reader;
mod search;
mod settings;
mod shared;
mod small_file;
mod store;
mod survey;
mod synchronizer;
mod url_error;
mod versions;
mod writer;

pub use fleet::logs;
pub use grants::{Role, grants};
pub use lock_mode::LockMode;
pub use s3::S3;
pub use s3_reader::S3Reader;
pub use url_error::UrlError;
