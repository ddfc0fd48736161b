//! The file backend: what lies on disk, and what a new writer makes of what it finds there.

mod layout;
mod opening;
mod recovery;
mod scene;
mod tampering;
mod writing;
