use crate::record::{Actor, ActorType};

use super::{AuthorizationScheme, Established, Identify, JwtClaims, Metadata, SigV4};

/// The source that adapters use unless told otherwise. It always answers.
///
/// In this order: [`Established`], [`JwtClaims`], [`SigV4`], [`AuthorizationScheme`], the presence of
/// an API key (`x-api-key` or `api-key`), and otherwise [`Actor::unauthenticated`]. Except for the
/// first, none of these checks anything: their actors are not verified. Sources that do check
/// (`JwtVerifier`, `ClientCertificate`, [`ForwardedClientCert`](super::ForwardedClientCert),
/// [`ApiKeys`](super::ApiKeys)) need to be told what to believe, and go in front of this one in a
/// [`FirstOf`](super::FirstOf). Cookies are not looked at: a host that uses them says who is asking
/// through [`Metadata::established`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultIdentify;

impl Identify for DefaultIdentify {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        (Established.identify(metadata))
            .or_else(|| JwtClaims.identify(metadata))
            .or_else(|| SigV4.identify(metadata))
            .or_else(|| AuthorizationScheme.identify(metadata))
            .or_else(|| api_key(metadata))
            .or_else(|| Some(Actor::unauthenticated()))
    }
}

/// Somebody with an API key that nobody looked up.
fn api_key(metadata: &dyn Metadata) -> Option<Actor> {
    let has_key = |name| metadata.header(name).is_some();
    (has_key("x-api-key") || has_key("api-key")).then(|| Actor::new(ActorType::ApiKey).auth("api_key"))
}
