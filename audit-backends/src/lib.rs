#![doc = include_str!("../README.md")]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod config;
mod file;
mod grants;
mod location_error;
mod open;
mod place;
mod scheme;

pub use config::{Config, ConfigError, ConfigMistake, ReplicaSection, Section, WhenWeakened};
pub use file::FileLocationError;
pub use grants::{Role, grants};
pub use location_error::LocationError;
pub use open::{logs, open, reader};
