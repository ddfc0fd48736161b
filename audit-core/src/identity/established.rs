use crate::record::{Actor, ActorType};

use super::{Identify, Metadata};

/// The actor that the host's own authentication established ([`Metadata::established`]).
///
/// Being established is what makes it verified. Only an actor that is `unauthenticated`, or whose
/// `reason` says why it is not believed, stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Established;

impl Identify for Established {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        let mut actor = metadata.established()?.clone();
        actor.verified |= actor.kind != ActorType::Unauthenticated && actor.reason.is_none();
        Some(actor)
    }
}
