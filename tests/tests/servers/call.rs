//! What can be asked of every server, and how it has to end.

/// A call of the payments service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Refund(u32),
    /// A refund with details that are not JSON.
    Malformed,
    /// A refund with more details than are taken.
    TooLarge,
    Count,
    Slow {
        ms: u64,
    },
    Stream {
        chunks: u64,
    },
    Fail,
    Denied,
    Unauthenticated,
    Panic,
    /// Of something that does not exist.
    Unknown,
    /// Of something that exists, in another way: another HTTP method; another gRPC method of the
    /// same service.
    NotAllowed,
    /// That the policy excludes.
    Probe,
}

impl Call {
    /// The HTTP status of the answer. A panic has none: the connection breaks.
    pub(crate) fn status(self) -> Option<i64> {
        Some(match self {
            Self::Refund(_) => 201,
            Self::Count | Self::Slow { .. } | Self::Stream { .. } | Self::Probe => 200,
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::Denied => 403,
            Self::Unknown => 404,
            Self::NotAllowed => 405,
            Self::TooLarge => 413,
            Self::Fail => 500,
            Self::Panic => return None,
        })
    }

    /// The gRPC code of the answer. A panic has none: the stream is reset.
    pub(crate) fn code(self) -> Option<i64> {
        Some(match self {
            Self::Refund(_) | Self::Count | Self::Slow { .. } | Self::Stream { .. } | Self::Probe => 0,
            Self::Malformed => 3,
            Self::Denied => 7,
            // What tonic says; the gRPC documents would have it say RESOURCE_EXHAUSTED.
            Self::TooLarge => 11,
            Self::Unknown | Self::NotAllowed => 12,
            Self::Fail => 13,
            Self::Unauthenticated => 16,
            Self::Panic => return None,
        })
    }

    /// Whether its handler runs.
    pub(crate) fn is_handled(self) -> bool {
        !matches!(self, Self::TooLarge | Self::Unknown | Self::NotAllowed | Self::Probe)
    }

    /// What the intent names it by.
    pub(crate) fn action(self, is_grpc: bool) -> &'static str {
        match (self, is_grpc) {
            (Self::Refund(_) | Self::Malformed | Self::TooLarge, false) => "POST /v1/refunds/{id}",
            (Self::Refund(_) | Self::Malformed | Self::TooLarge, true) => "payments.v1.Payments/Refund",
            (Self::Count, false) => "GET /v1/refunds",
            (Self::Count, true) => "payments.v1.Payments/CountRefunds",
            (Self::Slow { .. }, false) => "GET /v1/slow",
            (Self::Slow { .. }, true) => "payments.v1.Payments/Slow",
            (Self::Stream { .. }, false) => "GET /v1/stream",
            (Self::Stream { .. }, true) => "payments.v1.Payments/Stream",
            (Self::Fail, false) => "GET /v1/fail",
            (Self::Fail, true) => "payments.v1.Payments/Fail",
            (Self::Denied, false) => "GET /v1/denied",
            (Self::Denied, true) => "payments.v1.Payments/Denied",
            (Self::Unauthenticated, false) => "GET /v1/unauthenticated",
            (Self::Unauthenticated, true) => "payments.v1.Payments/Unauthenticated",
            (Self::Panic, false) => "GET /v1/panic",
            (Self::Panic, true) => "payments.v1.Payments/Panic",
            (Self::Unknown, false) => "GET /nowhere",
            (Self::Unknown, true) => "payments.v1.Nowhere/Refund",
            (Self::NotAllowed, false) => "DELETE /v1/refunds",
            (Self::NotAllowed, true) => "payments.v1.Payments/Nothing",
            (Self::Probe, false) => "GET /healthz",
            (Self::Probe, true) => "grpc.health.v1.Health/Check",
        }
    }
}

/// More than the servers take.
pub(crate) const TOO_LARGE: usize = 70_000;
