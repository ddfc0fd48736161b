#![doc = include_str!("../README.md")]

mod answer;
mod body;
mod future;
mod held;
mod middleware;
mod payload;
mod request;
mod service;
mod settings;

pub use body::AuditBody;
pub use middleware::Audit;
pub use service::AuditMiddleware;

/// The response future of [`AuditMiddleware`].
pub mod futures {
    pub use crate::future::AuditResponse;
}
