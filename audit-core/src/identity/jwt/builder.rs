use std::collections::HashMap;
use std::time::Duration;

use super::error::JwtVerifierError;
use super::issuer::JwtIssuer;
use super::verifier::JwtVerifier;

/// The most issuers of one verifier.
const ISSUER_LIMIT: usize = 256;

/// The longest leeway.
const LEEWAY_LIMIT: Duration = Duration::from_secs(300);

/// The most tokens that are remembered.
const REMEMBERED_LIMIT: usize = 65_536;

/// Describes a [`JwtVerifier`].
#[derive(Clone, Debug)]
#[must_use = "nothing is verified before `build`"]
pub struct JwtVerifierBuilder {
    issuers: Vec<JwtIssuer>,
    leeway: Duration,
    remembered: usize,
}

impl Default for JwtVerifierBuilder {
    fn default() -> Self {
        Self { issuers: Vec::new(), leeway: Duration::from_secs(60), remembered: 1_024 }
    }
}

impl JwtVerifierBuilder {
    /// Adds an issuer. At most 256.
    pub fn issuer(mut self, issuer: JwtIssuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// How far clocks may be apart: so much later than `exp` and earlier than `nbf` a token is still
    /// believed. Default: 60 seconds; at most 300; whole seconds count.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How many verified tokens are remembered, so that showing one again costs a hash and no
    /// signature. Default: 1,024; at most 65,536; 0 for none.
    ///
    /// What is kept of each is its actor and its SHA-256: about 500 bytes for usual tokens. One whose
    /// names have more than 4 KiB is checked each time. Tokens that fail are not remembered, so a
    /// stranger takes no room.
    pub const fn remembered_tokens(mut self, limit: usize) -> Self {
        self.remembered = limit;
        self
    }

    /// Makes the verifier.
    ///
    /// # Errors
    ///
    /// When an issuer stands twice or has no audience, or a limit is exceeded.
    pub fn build(self) -> Result<JwtVerifier, JwtVerifierError> {
        let over = |limit| Err(JwtVerifierError::Limit { limit });
        if self.issuers.len() > ISSUER_LIMIT {
            return over("a verifier has at most 256 issuers");
        }
        if self.leeway > LEEWAY_LIMIT {
            return over("the leeway is at most 300 seconds: set the clocks instead");
        }
        if self.remembered > REMEMBERED_LIMIT {
            return over("at most 65,536 tokens are remembered");
        }
        let mut issuers = HashMap::new();
        for issuer in self.issuers {
            issuer.check()?;
            if let Some(first) = issuers.insert(issuer.name.clone(), issuer) {
                return Err(JwtVerifierError::Twice { issuer: first.name });
            }
        }
        Ok(JwtVerifier::new(issuers, self.leeway, self.remembered))
    }
}
