use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::identity::spiffe_id::SpiffeId;

use super::algorithm::JwtAlgorithm;
use super::error::{JwksError, JwtVerifierError};
use super::key_set::KeySet;

/// The most audiences of one issuer.
const AUDIENCE_LIMIT: usize = 64;

/// What a SPIFFE trust domain is called where issuers have names.
pub(super) const TRUST_DOMAIN: &str = "spiffe://";

/// An issuer whose tokens are believed, its keys, and which of its tokens are for this service.
///
/// Whoever has the issuer's keys can name any caller. List only issuers that may.
#[derive(Clone)]
pub struct JwtIssuer {
    pub(super) name: String,
    pub(super) keys: Arc<KeySet>,
    pub(super) audiences: Vec<String>,
    pub(super) any_audience: bool,
    pub(super) algorithms: Vec<JwtAlgorithm>,
    pub(super) legacy_kubernetes: bool,
}

impl JwtIssuer {
    /// The issuer that calls itself `issuer` in the claim `iss`, compared byte by byte
    /// (RFC 7519 §4.1.1). Has no keys yet: until it has, its tokens count as those of a stranger.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            name: issuer.into(),
            keys: Arc::default(),
            audiences: Vec::new(),
            any_audience: false,
            algorithms: JwtAlgorithm::ALL.to_vec(),
            legacy_kubernetes: false,
        }
    }

    /// A SPIFFE trust domain, as in `prod.example`: the issuer of every JWT-SVID whose `sub` is a
    /// SPIFFE ID in it, whatever its `iss`. Its name for
    /// [`set_jwks`](super::JwtVerifier::set_jwks) is `spiffe://prod.example`. EdDSA is not allowed
    /// unless [`algorithms`](Self::algorithms) says so (JWT-SVID §2.1).
    #[must_use]
    pub fn trust_domain(name: impl AsRef<str>) -> Self {
        let mut issuer = Self::new(format!("{TRUST_DOMAIN}{}", name.as_ref()));
        issuer.algorithms.retain(|algorithm| *algorithm != JwtAlgorithm::EdDsa);
        issuer
    }

    /// Sets the keys: a JWK Set (RFC 7517 §5), or a SPIFFE bundle.
    ///
    /// Keys of types and for purposes that are not ours are left out: symmetric ones, other
    /// curves, encryption. At most 1 MiB and 100 keys; RSA of 2,048 to 8,192 bits.
    ///
    /// # Errors
    ///
    /// When that is not such a set, when one of its keys is malformed, or when none is of use.
    pub fn jwks(mut self, json: impl AsRef<[u8]>) -> Result<Self, JwksError> {
        self.keys = Arc::new(KeySet::parse(json.as_ref())?);
        Ok(self)
    }

    /// Sets the keys to those in a file, read now and not again. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// Those of [`jwks`](Self::jwks), and when the file cannot be read.
    pub fn jwks_file(mut self, path: impl AsRef<Path>) -> Result<Self, JwksError> {
        self.keys = Arc::new(KeySet::read(path.as_ref())?);
        Ok(self)
    }

    /// Adds a name of this service: a token must have one of them in `aud`, byte by byte
    /// (RFC 7519 §4.1.3). At most 64.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Believes tokens for whatever audience, and tokens without one. For issuers that leave `aud`
    /// out, as Amazon Cognito does in access tokens: with any other, a service that gets a token
    /// of a caller can use it here.
    #[must_use]
    pub const fn any_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }

    /// Allows these algorithms only. Default: every [`JwtAlgorithm`].
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = JwtAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Believes tokens from Kubernetes secrets too, which have neither `exp` nor `aud` and are
    /// valid until the secret is deleted, which nobody tells. They are known by the claim
    /// `kubernetes.io/serviceaccount/secret.name`; an `exp` or `aud` that is there counts.
    #[must_use]
    pub const fn legacy_kubernetes_tokens(mut self) -> Self {
        self.legacy_kubernetes = true;
        self
    }

    pub(super) fn is_trust_domain(&self) -> bool {
        self.name.starts_with(TRUST_DOMAIN)
    }

    /// Whether `subject` may be named by this issuer.
    pub(super) fn may_name(&self, subject: Option<&str>) -> bool {
        !self.is_trust_domain()
            || subject
                .and_then(SpiffeId::parse)
                .is_some_and(|id| self.name.get(TRUST_DOMAIN.len()..) == Some(id.trust_domain()))
    }

    pub(super) fn check(&self) -> Result<(), JwtVerifierError> {
        let issuer = || self.name.clone();
        if let Some(domain) = self.name.strip_prefix(TRUST_DOMAIN) {
            let wrong = |reason| Err(JwtVerifierError::TrustDomain { issuer: issuer(), reason });
            if !SpiffeId::is_trust_domain(domain) {
                return wrong("write it as in prod.example: lower-case letters, digits, dots, dashes, underscores");
            }
            if self.any_audience || self.legacy_kubernetes {
                return wrong("its tokens have an audience and expire, always (JWT-SVID §3)");
            }
        }
        if self.algorithms.is_empty() {
            return Err(JwtVerifierError::NoAlgorithm { issuer: issuer() });
        }
        if self.audiences.is_empty() && !self.any_audience && !self.legacy_kubernetes {
            return Err(JwtVerifierError::NoAudience { issuer: issuer() });
        }
        if self.audiences.len() > AUDIENCE_LIMIT {
            return Err(JwtVerifierError::Limit { limit: "an issuer has at most 64 audiences" });
        }
        Ok(())
    }
}

impl fmt::Debug for JwtIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtIssuer")
            .field("name", &self.name)
            .field("keys", &self.keys.len())
            .field("audiences", &self.audiences)
            .field("any_audience", &self.any_audience)
            .field("algorithms", &self.algorithms)
            .field("legacy_kubernetes", &self.legacy_kubernetes)
            .finish()
    }
}
