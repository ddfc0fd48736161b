use std::cell::Cell;

use tracing::{Level, Metadata, dispatcher};

use crate::{AuditSpans, SilencedError};

/// Where a probe comes from; nothing else may use this target.
const TARGET: &str = "audit_tracing::check";

thread_local! {
    static ARRIVED: Cell<Arrived> = const { Cell::new(Arrived { span: false, event: false }) };
}

/// What has arrived of the probe that this thread sent.
#[derive(Clone, Copy, Debug, Default)]
struct Arrived {
    span: bool,
    event: bool,
}

/// Sends a probe through the subscriber of this thread, which is the global one unless a scope has
/// its own, and sees whether it gets to the [`AuditSpans`] there. Call it after `init`.
///
/// The probe is a function with `#[instrument(ret)]` at the level of the layer, `INFO` for one that
/// cannot be found behind a `reload::Layer`. It leaves nothing in the log. Other layers see it: `fmt`
/// prints one line, `return="a probe"`.
///
/// # Errors
///
/// [`SilencedError::NoLayer`], or what keeps spans from the layer.
pub fn check() -> Result<(), SilencedError> {
    let layer = dispatcher::get_default(|subscriber| subscriber.downcast_ref::<AuditSpans>().map(AuditSpans::level));
    let level = layer.unwrap_or(Level::INFO);
    ARRIVED.set(Arrived::default());
    match level {
        Level::ERROR => probe_at_error(),
        Level::WARN => probe_at_warn(),
        Level::INFO => probe_at_info(),
        Level::DEBUG => probe_at_debug(),
        Level::TRACE => probe_at_trace(),
    };
    match ARRIVED.take() {
        Arrived { span: true, event: true } => Ok(()),
        Arrived { span: true, event: false } => Err(SilencedError::FilteredEvents { level }),
        Arrived { span: false, .. } if layer.is_some() => Err(SilencedError::FilteredSpans { level }),
        Arrived { span: false, .. } => Err(SilencedError::NoLayer),
    }
}

macro_rules! probes {
    ($($name:ident $level:ident)*) => {$(
        #[tracing::instrument(name = "probe", target = "audit_tracing::check", level = Level::$level, ret,
            fields(audit.action = "audit_tracing.check"))]
        fn $name() -> &'static str {
            "a probe"
        }
    )*};
}

probes! {
    probe_at_error ERROR
    probe_at_warn WARN
    probe_at_info INFO
    probe_at_debug DEBUG
    probe_at_trace TRACE
}

pub(crate) fn is_probe(span: &Metadata<'_>) -> bool {
    span.target() == TARGET
}

pub(crate) fn span_arrived() {
    ARRIVED.set(Arrived { span: true, ..ARRIVED.get() });
}

pub(crate) fn event_arrived() {
    ARRIVED.set(Arrived { event: true, ..ARRIVED.get() });
}
