use super::grpc;
use crate::record::Outcome;

/// How calls are named in records and how their end is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Method and route name the action; the status line says how it went.
    Http,
    /// The path names the action; `grpc-status` says how it went, in the head or in the trailers.
    Grpc,
}

impl Dialect {
    /// The outcome of a call that ended in order.
    pub(super) fn outcome(self, status: u16, code: Option<i32>) -> Outcome<'static> {
        match self {
            Self::Http => Outcome::http(status),
            Self::Grpc => Outcome::grpc(code.unwrap_or_else(|| grpc::code_of_status(status))),
        }
    }
}
