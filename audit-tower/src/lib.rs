#![doc = include_str!("../README.md")]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod body;
mod describe;
mod dialect;
mod future;
mod grpc;
mod head;
mod layer;
mod on_refused;
mod recording;
mod service;
mod settings;

pub use body::AuditBody;
pub use head::RequestHead;
pub use layer::AuditLayer;
pub use on_refused::{OnRefused, Unavailable};
pub use service::AuditService;

/// The response future of [`AuditService`].
pub mod futures {
    pub use crate::future::ResponseFuture;
}
