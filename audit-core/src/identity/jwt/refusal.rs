/// Why a token is not believed. None of these repeats anything that the token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    TooLong,
    MalformedPayload,
    MalformedClaims(&'static str),
    MalformedHeader,
    Critical,
    Type,
    AlgorithmNone,
    Algorithm,
    AlgorithmNotAllowed,
    NoKeyId,
    UnknownKey,
    AlgorithmOfKey,
    MalformedSignature,
    Signature,
    NoExpiry,
    Expired,
    NotYetValid,
    NoAudience,
    Audience,
    SpiffeId,
}

impl Refusal {
    pub(super) const MALFORMED_CLAIMS: Self = Self::MalformedClaims("malformed token: claims are not a JSON object");

    /// The text that is recorded.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => crate::identity::bearer::TOO_LONG,
            Self::MalformedPayload => "malformed token: payload is not base64url",
            Self::MalformedClaims(reason) => reason,
            Self::MalformedHeader => "malformed token: header",
            Self::Critical => "critical extension in the header",
            Self::Type => "token of another type",
            Self::AlgorithmNone => "algorithm none",
            Self::Algorithm => "unknown or symmetric algorithm",
            Self::AlgorithmNotAllowed => "algorithm not allowed for this issuer",
            Self::NoKeyId => "no key id, and too many keys fit",
            Self::UnknownKey => "unknown key",
            Self::AlgorithmOfKey => "algorithm does not fit the key",
            Self::MalformedSignature => "malformed token: signature is not base64url",
            Self::Signature => "signature does not match",
            Self::NoExpiry => "no expiry",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::NoAudience => "no audience",
            Self::Audience => "wrong audience",
            Self::SpiffeId => "subject is not a SPIFFE ID of the trust domain",
        }
    }
}
