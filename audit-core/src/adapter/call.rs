use std::time::Instant;

use super::digits::content_length;
use super::{Dialect, Request, grpc};

/// What is known of a call when it starts and needed when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) dialect: Dialect,
    /// No response to this method has a body (RFC 9110 §9.3.2).
    pub(super) is_head: bool,
    /// A 2xx response to this method turns the connection into a tunnel (RFC 9110 §9.3.6).
    pub(super) is_connect: bool,
    pub(super) request_bytes: Option<u64>,
    /// From when on a caller who goes away has run out of the time that it gave, if it gave one.
    exceeded_from: Option<Instant>,
}

impl Call {
    pub(super) fn of<R: Request>(dialect: Dialect, request: &R) -> Self {
        let method = request.method();
        let timeout = match dialect {
            Dialect::Http => None,
            Dialect::Grpc => request.header("grpc-timeout").and_then(grpc::grpc_timeout),
        };
        Self {
            dialect,
            is_head: method == "HEAD",
            is_connect: method == "CONNECT",
            request_bytes: request.content_length().and_then(content_length),
            exceeded_from: timeout.and_then(|timeout| Instant::now().checked_add(grpc::tolerated(timeout))),
        }
    }

    /// The gRPC code of a call that is given up now.
    pub(super) fn given_up(&self) -> i32 {
        match self.exceeded_from {
            Some(time) if Instant::now() >= time => grpc::DEADLINE_EXCEEDED,
            _ => grpc::CANCELLED,
        }
    }
}
