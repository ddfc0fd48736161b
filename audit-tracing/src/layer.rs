use audit_core::record::{ActivityId, Event, Protocol, Span};
use audit_core::{Actor, AuditLog};
use tracing::level_filters::STATIC_MAX_LEVEL;
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::activity::{Owner, SpanActivities, SpanActivity};
use crate::fields::{ACTION, Fields, text};
use crate::instrument::{Kind, Report, made_together};
use crate::{AuditFilter, SilencedError, check, entered};

/// Records every span that has the field `audit.action`.
///
/// Never blocks, never panics, and never fails once it is made: what the log cannot take is counted
/// by the log as lost. Give it [its own filter](Self::with_default_filter): a global one hides spans
/// from it, and without any it makes `tracing` prepare every span and event of the process.
#[derive(Clone, Debug)]
pub struct AuditSpans {
    log: AuditLog,
    actor: Actor,
    level: Level,
    errors: bool,
    returned: bool,
    owner: Owner,
}

impl AuditSpans {
    /// Records into `log` the spans of level `INFO` and above, which is what `#[instrument]` makes,
    /// and whatever others get here. The actor is unknown.
    ///
    /// # Errors
    ///
    /// [`SilencedError::Compiled`] when `tracing` was compiled without such spans.
    pub fn new(log: AuditLog) -> Result<Self, SilencedError> {
        Self::for_spans_at(Level::INFO, log)
    }

    /// Records into `log` the spans of `level` and above, and whatever others get here: for programs
    /// whose least verbose audited spans are not at `INFO`.
    ///
    /// # Errors
    ///
    /// [`SilencedError::Compiled`] when `tracing` was compiled without spans of `level`, by one of its
    /// features `max_level_*` and `release_max_level_*`.
    pub fn for_spans_at(level: Level, log: AuditLog) -> Result<Self, SilencedError> {
        if level > STATIC_MAX_LEVEL {
            return Err(SilencedError::Compiled { wanted: level, compiled: STATIC_MAX_LEVEL });
        }
        Ok(Self { log, actor: Actor::unknown(), level, errors: true, returned: false, owner: Owner::new() })
    }

    /// Names who does what spans record, for a process that acts for one account.
    #[must_use]
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// Leaves out the texts of errors: an outcome says `failure` and no more.
    #[must_use]
    pub fn without_error_texts(mut self) -> Self {
        self.errors = false;
        self
    }

    /// Records what functions with `ret` return, as the outcome's attribute `return`.
    #[must_use]
    pub fn with_return_values(mut self) -> Self {
        self.returned = true;
        self
    }

    /// The layer with the filter that it is made for: audited spans pass at every level, whatever
    /// the filters of other layers say, and nothing else does.
    #[must_use]
    pub fn with_default_filter<S>(self) -> Filtered<Self, AuditFilter, S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.with_filter(AuditFilter::new())
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    fn begin(&self, id: &Id, metadata: &Metadata<'_>, fields: Fields, parent: Option<ActivityId>) -> SpanActivity {
        let action = fields.action.map_or_else(|| metadata.name().to_owned(), text);
        let mut event = Event::action(action).actor_ref(&self.actor).protocol(Protocol::Span(place(metadata)));
        if let Some(parent) = parent {
            event = event.parent(parent);
        }
        if let Some(resource) = fields.resource {
            event = event.resource(text(resource));
        }
        for (name, value) in fields.attributes {
            event = event.attribute(name, value);
        }
        SpanActivity::new(&self.owner, id, self.log.begin(&event).without_waiting(), fields.result)
    }

    /// The activity inside which a span is created. The log finds the thread's current one itself.
    fn parent<'a, S>(&self, span: &SpanRef<'a, S>) -> Option<ActivityId>
    where
        S: LookupSpan<'a>,
    {
        let ancestor = span.scope().skip(1).find_map(|ancestor| {
            let extensions = ancestor.extensions();
            let activity = extensions.get::<SpanActivities>()?.of(&self.owner)?;
            Some((activity.key(), activity.current.id()?))
        });
        let (key, ancestor) = ancestor?;
        // A call that began while this thread was in the ancestor is nearer than that.
        let nearer = if entered::is_inside(key) { entered::other_activity() } else { None };
        Some(nearer.unwrap_or(ancestor))
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
    fn on_layer(&mut self, _: &mut S) {
        // Clones in several subscribers are several layers.
        self.owner = Owner::new();
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if metadata.fields().field(ACTION).is_none() {
            return;
        }
        if check::is_probe(metadata) {
            return check::span_arrived();
        }
        let Some(span) = context.span(id) else {
            return;
        };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let activity = self.begin(id, metadata, fields, self.parent(&span));
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<SpanActivities>() {
            Some(activities) => activities.add(activity),
            None => {
                extensions.replace(SpanActivities::new(activity));
            }
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        if span.metadata().fields().field(ACTION).is_none() {
            return;
        }
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut extensions = span.extensions_mut();
        if let Some(activity) = extensions.get_mut::<SpanActivities>().and_then(|all| all.of_mut(&self.owner)) {
            activity.said = fields.result.or(activity.said);
            fields.amend(&activity.current);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let Some(kind) = Kind::of(event.metadata()) else {
            return;
        };
        let Some(span) = context.event_span(event) else {
            return;
        };
        if !made_together(event.metadata(), span.metadata()) {
            return;
        }
        if check::is_probe(span.metadata()) {
            return check::event_arrived();
        }
        let wanted = match kind {
            Kind::Return => self.returned,
            Kind::Error => self.errors,
        };
        let (ending, returned) = Report::read(event, kind, wanted).ending();
        let mut extensions = span.extensions_mut();
        let activities = extensions.get_mut::<SpanActivities>();
        let Some(activity) = activities.and_then(|all| all.of_mut(&self.owner)) else {
            return;
        };
        activity.ending = Some(ending);
        if let Some(returned) = returned {
            activity.current.attribute("return", returned).ok();
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let extensions = span.extensions();
        if let Some(activity) = extensions.get::<SpanActivities>().and_then(|all| all.of(&self.owner)) {
            entered::enter(activity.key(), &activity.current);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let key = match span.extensions().get::<SpanActivities>().and_then(|all| all.of(&self.owner)) {
            Some(activity) => activity.key(),
            None => return,
        };
        if !entered::exit(key) {
            return;
        }
        let mut extensions = span.extensions_mut();
        if let Some(activity) = extensions.get_mut::<SpanActivities>().and_then(|all| all.of_mut(&self.owner)) {
            activity.panicked = true;
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        // Ends the activity once the lock is released.
        let closed = span.extensions_mut().get_mut::<SpanActivities>().and_then(|all| all.remove(&self.owner));
        drop(closed);
    }
}
