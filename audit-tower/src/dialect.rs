use audit_core::record::{Outcome, OutcomeResult};
use http::{HeaderMap, StatusCode};

use crate::grpc;

/// How calls are named in records and how their end is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The status line says how it went.
    Http,
    /// `grpc-status` says how it went, in the head or in the trailers.
    Grpc,
}

impl Dialect {
    /// The gRPC code that `headers` or trailers carry. Always `None` for plain HTTP.
    pub(crate) fn code(self, headers: &HeaderMap) -> Option<i32> {
        match self {
            Self::Http => None,
            Self::Grpc => grpc::code(headers),
        }
    }

    /// The outcome of a call that ended in order.
    pub(crate) fn outcome(self, status: StatusCode, code: Option<i32>) -> Outcome<'static> {
        match self {
            Self::Http => Outcome::http(status.as_u16()),
            Self::Grpc => Outcome::grpc(code.unwrap_or_else(|| grpc::code_of_status(status))),
        }
    }

    /// The outcome of a call that ended otherwise, after a head with `status`.
    pub(crate) fn cut_short(self, result: OutcomeResult, status: StatusCode) -> Outcome<'static> {
        let outcome = Outcome::new(result);
        match self {
            Self::Http => outcome.status(status.as_u16()),
            Self::Grpc => outcome,
        }
    }
}
