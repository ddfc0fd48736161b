//! The gRPC code of the service: messages, servers and clients, made from `proto/` by the build script.

/// The payments service.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction, rust_2018_idioms, reason = "generated")]
pub mod payments {
    tonic::include_proto!("payments.v1");
}

/// The health checks that gRPC clients and orchestrators know.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction, rust_2018_idioms, reason = "generated")]
pub mod health {
    tonic::include_proto!("grpc.health.v1");
}
