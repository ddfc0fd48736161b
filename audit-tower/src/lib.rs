#![doc = include_str!("../README.md")]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod answer;
mod body;
mod capture;
mod future;
mod grpc;
mod head;
mod held;
mod layer;
mod on_refused;
mod request;
mod request_body;
mod service;
mod settings;
mod slices;

pub use body::AuditBody;
pub use capture::{Capture, Captured, Untouched};
pub use head::RequestHead;
pub use layer::AuditLayer;
pub use on_refused::{OnRefused, Unavailable};
pub use request_body::RequestBody;
pub use service::AuditService;

/// The response future of [`AuditService`].
pub mod futures {
    pub use crate::future::ResponseFuture;
}
