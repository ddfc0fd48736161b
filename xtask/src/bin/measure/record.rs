//! The record that is written over and over: a refund by a service account.

use audit_core::{Actor, Event};

use crate::Failure;

/// The service account that asks.
pub(crate) fn actor() -> Actor {
    Actor::service_account("system:serviceaccount:payments:settler").issuer("https://kubernetes.default.svc")
}

/// One call, of which a line of about 400 bytes is made.
pub(crate) fn event(actor: &Actor) -> Event<'_> {
    Event::action("POST /v1/refunds/{id}").actor_ref(actor).resource("/v1/refunds/42")
}

/// The policy under which nobody waits for a disk.
pub(crate) fn policy() -> Result<audit_core::Policy, Failure> {
    Ok(audit_core::Policy::from_toml(
        "[[rule]]\nname = \"everything\"\nlevel = \"metadata\"\ndurability = \"written\"\n\
         on_failure = \"deny\"\ndeadline = \"10s\"\n",
    )?)
}
