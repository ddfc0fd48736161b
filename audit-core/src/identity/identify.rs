use std::fmt;
use std::sync::Arc;

use crate::record::Actor;

use super::Metadata;

/// A source of identity.
///
/// Called once for each request, on the request's own thread, before anything is recorded: it
/// must not block and must not panic.
pub trait Identify: Send + Sync + 'static {
    /// The caller, or `None` when this source has nothing to say about the request.
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor>;
}

impl<F> Identify for F
where
    F: Fn(&dyn Metadata) -> Option<Actor> + Send + Sync + 'static,
{
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        self(metadata)
    }
}

impl Identify for Box<dyn Identify> {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        self.as_ref().identify(metadata)
    }
}

impl Identify for Arc<dyn Identify> {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        self.as_ref().identify(metadata)
    }
}

/// Several sources, asked in order until one answers.
#[derive(Default)]
pub struct FirstOf(pub Vec<Box<dyn Identify>>);

impl FirstOf {
    /// Adds a source, to be asked when those before it say nothing.
    #[must_use]
    pub fn or(mut self, source: impl Identify) -> Self {
        self.0.push(Box::new(source));
        self
    }
}

impl Identify for FirstOf {
    fn identify(&self, metadata: &dyn Metadata) -> Option<Actor> {
        self.0.iter().find_map(|source| source.identify(metadata))
    }
}

impl fmt::Debug for FirstOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FirstOf").field(&self.0.len()).finish()
    }
}
