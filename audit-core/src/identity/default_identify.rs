use crate::record::Actor;

use super::{Identify, JwtClaims, Metadata};

/// The source that adapters use unless told otherwise. It always answers.
///
/// In this order: the actor the host's own authentication established
/// ([`Metadata::established`]), the claims of a bearer token ([`JwtClaims`]), the name of another
/// `Authorization` scheme, the presence of an API key, and otherwise [`Actor::unauthenticated`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultIdentify;

impl Identify for DefaultIdentify {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        metadata
            .established()
            .cloned()
            .or_else(|| JwtClaims.identify(metadata))
            .or_else(|| Some(Actor::unauthenticated()))
    }
}
