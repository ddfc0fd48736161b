use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Filter};

use crate::fields::ACTION;
use crate::instrument::Kind;

/// Lets pass what [`AuditSpans`](crate::AuditSpans) looks at, at every level, and nothing else: spans
/// with the field `audit.action`, and the events of `#[instrument(ret, err)]`.
///
/// Decides once for each place in the code. Spans and events that no other layer wants stay as cheap
/// as without it.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct AuditFilter {}

impl AuditFilter {
    /// The filter; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }

    fn passes(metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() { metadata.fields().field(ACTION).is_some() } else { Kind::of(metadata).is_some() }
    }
}

impl<S: Subscriber> Filter<S> for AuditFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::passes(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::passes(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // An audited span may have any level.
        Some(LevelFilter::TRACE)
    }
}
