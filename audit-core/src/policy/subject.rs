use crate::record::{Actor, Event};

/// What a policy looks at: who asks for what.
///
/// Borrows everything; making one costs nothing.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Subject<'a> {
    /// Who asks. Only a verified actor can match a rule's `actors`, `actor_ids` and
    /// `issuers`.
    pub actor: &'a Actor,
    /// What is done: `package.Service/Method`, the name of a span's action, or `METHOD template`.
    pub action: &'a str,
    /// The method of an HTTP request.
    pub method: Option<&'a str>,
    /// The original, undecoded path of a request, without its query.
    pub path: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// A subject without method and path, as annotated functions have.
    #[must_use]
    pub const fn new(actor: &'a Actor, action: &'a str) -> Self {
        Self { actor, action, method: None, path: None }
    }

    /// Sets the method of the request.
    #[must_use]
    pub const fn method(mut self, method: &'a str) -> Self {
        self.method = Some(method);
        self
    }

    /// Sets the original, undecoded path of the request, without its query.
    #[must_use]
    pub const fn path(mut self, path: &'a str) -> Self {
        self.path = Some(path);
        self
    }
}

impl<'a> From<&'a Event<'_>> for Subject<'a> {
    fn from(event: &'a Event<'_>) -> Self {
        Self {
            actor: &event.actor,
            action: &event.action,
            method: event.method.as_deref(),
            path: event.path.as_deref(),
        }
    }
}
