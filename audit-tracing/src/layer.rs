use audit_core::record::{ActivityId, Event, Protocol, Span};
use audit_core::{Actor, AuditLog};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::activity::SpanActivity;
use crate::fields::{ACTION, Fields};
use crate::stack;

/// Records every span that has the field `audit.action`.
///
/// Never blocks and never fails: what the log cannot take is counted by the log as lost. A filter
/// in front of this layer hides spans from it: give it none, or one that lets audited spans pass.
#[derive(Clone, Debug)]
pub struct AuditSpans {
    log: AuditLog,
    actor: Actor,
}

impl AuditSpans {
    /// Records into `log`, with an unknown actor.
    #[must_use]
    pub fn new(log: AuditLog) -> Self {
        Self { log, actor: Actor::unknown() }
    }

    /// Names who does what spans record, for a process that acts for one account.
    #[must_use]
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    fn begin(&self, metadata: &Metadata<'_>, fields: Fields, parent: Option<ActivityId>) -> Option<SpanActivity> {
        let mut event = Event::action(fields.action?).actor_ref(&self.actor).protocol(Protocol::Span(place(metadata)));
        if let Some(parent) = parent {
            event = event.parent(parent);
        }
        if let Some(resource) = fields.resource {
            event = event.resource(resource);
        }
        for (name, value) in fields.attributes {
            event = event.attribute(name, value);
        }
        let activity = self.log.begin(&event).without_waiting();
        Some(SpanActivity::new(activity, fields.result))
    }
}

fn place<'a>(metadata: &Metadata<'a>) -> Span<'a> {
    let mut span = Span::default();
    span.name = metadata.name();
    span.target = metadata.target();
    span.file = metadata.file();
    span.line = metadata.line();
    span
}

impl<S> Layer<S> for AuditSpans
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().fields().field(ACTION).is_none() {
            return;
        }
        let Some(span) = context.span(id) else {
            return;
        };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = span.scope().skip(1).find_map(|ancestor| {
            let extensions = ancestor.extensions();
            extensions.get::<SpanActivity>()?.current.id()
        });
        if let Some(activity) = self.begin(attributes.metadata(), fields, parent) {
            span.extensions_mut().insert(activity);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let mut extensions = span.extensions_mut();
        let Some(activity) = extensions.get_mut::<SpanActivity>() else {
            return;
        };
        let mut fields = Fields::default();
        values.record(&mut fields);
        activity.result = fields.result.or(activity.result);
        fields.amend(&activity.current);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        if let Some(activity) = span.extensions().get::<SpanActivity>() {
            stack::enter(id, &activity.current);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if !stack::exit(id) {
            return;
        }
        let Some(span) = context.span(id) else {
            return;
        };
        if let Some(activity) = span.extensions_mut().get_mut::<SpanActivity>() {
            activity.panicked = true;
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let activity = span.extensions_mut().remove::<SpanActivity>();
        if let Some(activity) = activity {
            activity.close();
        }
    }
}
