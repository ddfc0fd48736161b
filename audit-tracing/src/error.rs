use std::fmt;

use tracing::Level;
use tracing::level_filters::LevelFilter;

/// Why audited spans would go unrecorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SilencedError {
    /// `tracing` was compiled without the spans that are to be recorded.
    Compiled {
        /// Their level.
        wanted: Level,
        /// What is left.
        compiled: LevelFilter,
    },
    /// No [`AuditSpans`](crate::AuditSpans) is in the subscriber, or none that anything gets to.
    NoLayer,
    /// A filter keeps spans from the layer.
    FilteredSpans {
        /// Their level.
        level: Level,
    },
    /// A filter keeps the events of `#[instrument(ret, err)]` from the layer.
    FilteredEvents {
        /// Their level.
        level: Level,
    },
}

impl fmt::Display for SilencedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compiled { wanted, compiled } => write!(
                f,
                "`tracing` was compiled with nothing beyond the level {compiled}, so spans at {wanted} do not exist: \
                 change its `max_level` features"
            ),
            Self::NoLayer => f.write_str(
                "no `AuditSpans` is reached by spans: add one to the subscriber, and call `check` after `init`",
            ),
            Self::FilteredSpans { level } => write!(
                f,
                "a filter keeps spans at {level} from `AuditSpans`: give every other layer its own filter with \
                 `with_filter`, and this one `with_default_filter`"
            ),
            Self::FilteredEvents { level } => write!(
                f,
                "a filter keeps events at {level} from `AuditSpans`, so that the results of functions are lost: give \
                 every other layer its own filter with `with_filter`, and this one `with_default_filter`"
            ),
        }
    }
}

impl std::error::Error for SilencedError {}
