use std::borrow::Cow;

use crate::identity::spiffe_id::SpiffeId;
use crate::record::{Actor, ActorType};

use super::accepted::AcceptedNames;

/// The names in a certificate, as far as they matter: of each kind the first.
#[derive(Debug, Default)]
pub(super) struct CertificateNames<'a> {
    uri: Option<&'a str>,
    has_several_uris: bool,
    pub(super) dns: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    /// The distinguished name (RFC 4514).
    subject: Option<Cow<'a, str>>,
    /// That of whoever signed.
    pub(super) issuer: Option<String>,
}

impl<'a> CertificateNames<'a> {
    pub(super) fn new(subject: Option<Cow<'a, str>>) -> Self {
        Self { subject, ..Self::default() }
    }

    pub(super) fn add_uri(&mut self, uri: &'a str) {
        self.has_several_uris |= self.uri.is_some();
        self.uri = Some(uri);
    }

    /// Whether the certificate claims to be an X.509-SVID, well-formed or not.
    pub(super) fn is_spiffe(&self) -> bool {
        let prefix = self.uri.and_then(|uri| uri.get(..7));
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("spiffe:"))
    }

    /// Whom the names name, or why they are not believed.
    pub(super) fn actor(self, accepted: &AcceptedNames) -> Result<Actor, &'static str> {
        if self.has_several_uris {
            return Err("certificate with several URI names");
        }
        match self.uri {
            Some(uri) if self.is_spiffe() => workload(uri, accepted),
            _ if accepted.spiffe_only => Err("certificate without SPIFFE ID"),
            _ => Ok(self.other()),
        }
    }

    /// A DNS name is that of a machine, an address that of a person. Both, or neither, tell nothing.
    fn other(self) -> Actor {
        let (kind, id) = match (self.dns, self.email) {
            (Some(dns), None) => (ActorType::ServiceAccount, Some(Cow::Borrowed(dns))),
            (None, Some(email)) => (ActorType::User, Some(Cow::Borrowed(email))),
            _ => (ActorType::Unknown, self.subject.or(self.uri.map(Cow::Borrowed))),
        };
        let mut actor = Actor::new(kind);
        actor.id = id.map(Cow::into_owned);
        actor.issuer = self.issuer;
        actor
    }
}

/// The workload of an X.509-SVID. Its trust domain vouches for it.
fn workload(uri: &str, accepted: &AcceptedNames) -> Result<Actor, &'static str> {
    let id = SpiffeId::parse(uri).ok_or("malformed SPIFFE ID")?;
    if !accepted.has_trust_domain(id.trust_domain()) {
        return Err("trust domain not accepted");
    }
    Ok(Actor::service_account(uri).issuer(format!("spiffe://{}", id.trust_domain())))
}
