use crate::identity::{Identify, Metadata, TrustedProxies};
use crate::record::Actor;

use super::accepted::{AcceptedNames, TrustDomainError};
use super::element::{Element, MALFORMED, last_element};
use super::names::CertificateNames;

const HEADER: &str = "x-forwarded-client-cert";

/// The longest header line that is read, in bytes.
const LINE_LIMIT: usize = 64 * 1_024;

/// What a trusted proxy says of its client's certificate: Envoy's `x-forwarded-client-cert`.
///
/// Read only when the peer of the connection lies in the networks of the [`TrustedProxies`], and
/// of it only the last element, which that proxy itself wrote. From anybody else the header counts
/// as absent. What an actor is made of, and in which order, is as for
/// `ClientCertificate`; the header has no email addresses and no issuer. `auth` is `xfcc`,
/// `credential` the `Hash`.
///
/// The actor is verified, because naming a proxy here is to rely on it: it must check client
/// certificates, and it must replace or append to the header (`SANITIZE_SET`, `APPEND_FORWARD`,
/// never `ALWAYS_FORWARD_ONLY`). Every process in the networks can name any caller.
///
/// A header that breaks the grammar, two URI names, or more than 64 KiB make an `unauthenticated`
/// actor with a `reason`. Takes time in proportion to the header; does not block.
#[derive(Clone, Debug)]
pub struct ForwardedClientCert {
    proxies: TrustedProxies,
    accepted: AcceptedNames,
}

impl ForwardedClientCert {
    /// Believes what these proxies say.
    #[must_use]
    pub fn new(proxies: TrustedProxies) -> Self {
        Self { proxies, accepted: AcceptedNames::default() }
    }

    /// Believes SPIFFE IDs of these trust domains only, as in `prod.example`.
    ///
    /// # Errors
    ///
    /// When one of them cannot be a trust domain.
    pub fn trust_domains<N>(mut self, names: N) -> Result<Self, TrustDomainError>
    where
        N: IntoIterator<Item: Into<String>>,
    {
        self.accepted.set_trust_domains(names)?;
        Ok(self)
    }

    /// Believes no certificates but X.509-SVIDs.
    #[must_use]
    pub const fn spiffe_only(mut self) -> Self {
        self.accepted.spiffe_only = true;
        self
    }

    fn read(&self, line: &[u8]) -> Result<Actor, &'static str> {
        if line.len() > LINE_LIMIT {
            return Err("x-forwarded-client-cert longer than 64 KiB");
        }
        let element = Element::parse(last_element(line)).ok_or(MALFORMED)?;
        let subject = element.subject.filter(|subject| !subject.is_empty());
        let mut names = CertificateNames::new(subject.map(Into::into));
        names.dns = element.dns;
        for uri in element.uris {
            names.add_uri(uri);
        }
        let mut actor = names.actor(&self.accepted)?.verified();
        actor.credential = element.hash.map(str::to_ascii_lowercase);
        Ok(actor)
    }
}

impl Identify for ForwardedClientCert {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        let first = metadata.header(HEADER)?;
        let peer = metadata.peer()?;
        if !self.proxies.trusts(peer.ip().to_canonical()) {
            return None;
        }
        let mut lines = 0_usize;
        metadata.each_header(HEADER, &mut |_| lines = lines.saturating_add(1));
        let read = if lines > 1 { self.read(&last_line(metadata)) } else { self.read(first) };
        let actor = read.unwrap_or_else(|reason| Actor::unauthenticated().reason(reason));
        Some(actor.auth("xfcc"))
    }
}

/// Lines are one list (RFC 9110 §5.3), so the last element is in the last of them.
fn last_line(metadata: &dyn Metadata) -> Vec<u8> {
    let mut last = Vec::new();
    metadata.each_header(HEADER, &mut |line| {
        last.clear();
        // One byte more than is read, so that a line that is too long is seen to be.
        last.extend(line.iter().take(LINE_LIMIT + 1));
    });
    last
}
