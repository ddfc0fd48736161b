#![doc = include_str!("../README.md")]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod answer;
mod body;
mod future;
mod grpc;
mod head;
mod held;
mod layer;
mod on_refused;
mod request;
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
