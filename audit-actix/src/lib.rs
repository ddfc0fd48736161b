#![doc = include_str!("../README.md")]

mod body;
mod describe;
mod future;
mod middleware;
mod recording;
mod service;

pub use body::AuditBody;
pub use middleware::Audit;
pub use service::AuditMiddleware;

/// The response future of [`AuditMiddleware`].
pub mod futures {
    pub use crate::future::AuditResponse;
}
