use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::key_set::{JWKS_LIMIT, KEY_LIMIT};

/// Why a set of keys is not taken. The keys in use before stay in use.
#[derive(Debug)]
#[non_exhaustive]
pub enum JwksError {
    /// The file cannot be read. Trying again may help.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// More than 1 MiB.
    TooLong,
    /// Not a JWK Set (RFC 7517 §5): ask the issuer.
    Malformed {
        /// What is wrong, and where.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A key of a supported type that cannot be one: ask the issuer.
    MalformedKey {
        /// Which one, counted from 0.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than 100 keys.
    TooManyKeys,
    /// Not one key that a token could be checked with.
    NoUsableKey,
    /// The verifier knows no issuer of this name.
    UnknownIssuer {
        /// What was given.
        issuer: String,
    },
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, .. } => write!(f, "cannot read the keys in {}", path.display()),
            Self::TooLong => write!(f, "the key set is longer than {JWKS_LIMIT} bytes: is it one?"),
            Self::Malformed { .. } => f.write_str("not a JWK Set: expected an object with a list `keys` (RFC 7517)"),
            Self::MalformedKey { index, reason } => write!(f, "key {index} of the set: {reason}"),
            Self::TooManyKeys => write!(f, "the key set holds more than {KEY_LIMIT} keys"),
            Self::NoUsableKey => f.write_str(
                "no key in the set can check a token: expected RSA, P-256, P-384 or Ed25519 keys for signatures",
            ),
            Self::UnknownIssuer { issuer } => {
                write!(f, "no issuer `{}` in this verifier: name one it was built with", issuer.escape_debug())
            }
        }
    }
}

impl Error for JwksError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Malformed { source } => Some(source.as_ref()),
            _ => None,
        }
    }
}

/// Why a verifier cannot be built as described: a mistake in the program or its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwtVerifierError {
    /// The issuer's tokens would be believed whoever they were made for.
    NoAudience {
        /// Which issuer.
        issuer: String,
    },
    /// No algorithm is allowed, so no token could be believed.
    NoAlgorithm {
        /// Which issuer.
        issuer: String,
    },
    /// Two issuers have the same name.
    Twice {
        /// Which issuer.
        issuer: String,
    },
    /// A trust domain that is none, or one without audience or with legacy tokens.
    TrustDomain {
        /// Which one.
        issuer: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A limit of the builder is exceeded.
    Limit {
        /// Which one, and how much it allows.
        limit: &'static str,
    },
}

impl fmt::Display for JwtVerifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAudience { issuer } => write!(
                f,
                "issuer `{}` has no audience, so that a token for any other service would do: name this service \
                 with `audience`",
                issuer.escape_debug()
            ),
            Self::NoAlgorithm { issuer } => {
                write!(f, "issuer `{}` allows no algorithm: leave `algorithms` out for all", issuer.escape_debug())
            }
            Self::Twice { issuer } => write!(f, "issuer `{}` stands twice: name it once", issuer.escape_debug()),
            Self::TrustDomain { issuer, reason } => write!(f, "trust domain `{}`: {reason}", issuer.escape_debug()),
            Self::Limit { limit } => f.write_str(limit),
        }
    }
}

impl Error for JwtVerifierError {}
