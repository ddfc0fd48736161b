use std::error::Error;
use std::fmt;

use crate::identity::spiffe_id::SpiffeId;

/// Which of the certificates that a handshake let in are believed.
#[derive(Clone, Debug, Default)]
pub(super) struct AcceptedNames {
    /// Empty: every trust domain.
    trust_domains: Vec<String>,
    pub(super) spiffe_only: bool,
}

/// Not the name of a trust domain (SPIFFE-ID §2.1): a mistake in the program or its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustDomainError {
    /// What was given.
    pub name: String,
}

impl fmt::Display for TrustDomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no trust domain: write it as in prod.example, without spiffe://, in lower-case letters, digits, \
             dots, dashes and underscores",
            self.name.escape_debug()
        )
    }
}

impl Error for TrustDomainError {}

impl AcceptedNames {
    pub(super) fn set_trust_domains<N>(&mut self, names: N) -> Result<(), TrustDomainError>
    where
        N: IntoIterator<Item: Into<String>>,
    {
        let checked = names.into_iter().map(Into::into).map(|name: String| {
            if SpiffeId::is_trust_domain(&name) { Ok(name) } else { Err(TrustDomainError { name }) }
        });
        self.trust_domains = checked.collect::<Result<_, _>>()?;
        Ok(())
    }

    pub(super) fn has_trust_domain(&self, name: &str) -> bool {
        self.trust_domains.is_empty() || self.trust_domains.iter().any(|accepted| accepted == name)
    }
}
