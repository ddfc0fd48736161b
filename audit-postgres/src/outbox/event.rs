use std::time::SystemTime;

use audit_core::record::{Actor, ActorType, Event, Principal, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// What will be recorded, once the transaction that it is put into has committed.
///
/// In the table it is JSON of at most 61,440 bytes. Of attributes, whatever is neither text nor a
/// number nor true or false is recorded as its JSON text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxEvent {
    action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<StoredActor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    attrs: Map<String, Json>,
}

impl OutboxEvent {
    /// An event named by what is done: `refund.approve`.
    #[must_use]
    pub fn action(action: impl Into<String>) -> Self {
        Self { action: action.into(), resource: None, actor: None, trace: None, attrs: Map::new() }
    }

    /// Sets on what it is done.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets who does it. Without it, [`Actor::unknown`].
    #[must_use]
    pub fn actor(mut self, actor: &Actor) -> Self {
        self.actor = Some(StoredActor::from(actor));
        self
    }

    /// Sets the W3C `traceparent`.
    #[must_use]
    pub fn trace(mut self, traceparent: impl Into<String>) -> Self {
        self.trace = Some(traceparent.into());
        self
    }

    /// Adds an attribute. A name given twice is recorded once, with the last value.
    #[must_use]
    pub fn attribute<'a>(mut self, name: impl Into<String>, value: impl Into<Value<'a>>) -> Self {
        let value = match value.into() {
            Value::Text(text) => Json::String(text.into_owned()),
            Value::Integer(number) => Json::from(number),
            Value::Unsigned(number) => Json::from(number),
            Value::Float(number) if number.is_finite() => Json::from(number),
            // JSON has no word for it, and a record has its text.
            Value::Float(number) => Json::String(number.to_string()),
            Value::Bool(yes) => Json::Bool(yes),
            other => Json::String(format!("{other:?}")),
        };
        self.attrs.insert(name.into(), value);
        self
    }

    /// As it stands in the table.
    pub(super) fn to_json(&self) -> String {
        // Nothing in it can fail: names are text, and numbers are finite.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The event in a row. Of one that cannot be read, which nobody can put there through the function,
    /// the action is recorded as far as there is one, or else `outbox.unreadable`, with the text of the row.
    pub(super) fn from_row(text: &str) -> Self {
        /// Takes whatever stands beside it.
        #[derive(Deserialize)]
        struct Rest {
            action: String,
        }

        serde_json::from_str(text).unwrap_or_else(|_| {
            let action =
                serde_json::from_str(text).map_or_else(|_| "outbox.unreadable".to_owned(), |rest: Rest| rest.action);
            Self::action(action).attribute("outbox.unreadable", text)
        })
    }

    /// The event as the log takes it.
    pub(super) fn to_event(&self, happened: SystemTime) -> Event<'_> {
        let actor = self.actor.as_ref().map_or_else(Actor::unknown, StoredActor::to_actor);
        let mut event = Event::action(&self.action).actor(actor).time(happened);
        if let Some(resource) = &self.resource {
            event = event.resource(resource);
        }
        if let Some(trace) = &self.trace {
            event = event.trace(trace);
        }
        for (name, value) in &self.attrs {
            event = event.attribute(name, to_value(value));
        }
        event
    }
}

fn to_value(json: &Json) -> Value<'_> {
    match json {
        Json::String(text) => Value::from(text),
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => Value::Integer(number),
            (_, Some(number), _) => Value::Unsigned(number),
            (.., Some(number)) => Value::Float(number),
            _ => Value::from(number.to_string()),
        },
        other => Value::from(other.to_string()),
    }
}

/// The members of a record's `actor`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredActor {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    #[serde(default)]
    verified: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    on_behalf_of: Vec<StoredPrincipal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPrincipal {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
}

impl From<&Actor> for StoredActor {
    fn from(actor: &Actor) -> Self {
        let principal = |principal: &Principal| StoredPrincipal {
            kind: principal.kind.as_str().to_owned(),
            id: principal.id.clone(),
            issuer: principal.issuer.clone(),
        };
        Self {
            kind: actor.kind.as_str().to_owned(),
            id: actor.id.clone(),
            issuer: actor.issuer.clone(),
            auth: actor.auth.clone(),
            credential: actor.credential.clone(),
            verified: actor.verified,
            on_behalf_of: actor.on_behalf_of.iter().map(principal).collect(),
            reason: actor.reason.clone(),
        }
    }
}

impl StoredActor {
    fn to_actor(&self) -> Actor {
        let kind = |word: &str| ActorType::from_word(word).unwrap_or(ActorType::Unknown);
        let mut actor = Actor::new(kind(&self.kind));
        actor.id.clone_from(&self.id);
        actor.issuer.clone_from(&self.issuer);
        actor.auth.clone_from(&self.auth);
        actor.credential.clone_from(&self.credential);
        actor.verified = self.verified;
        actor.reason.clone_from(&self.reason);
        for stored in &self.on_behalf_of {
            let mut principal = Principal::new(kind(&stored.kind), &stored.id);
            principal.issuer.clone_from(&stored.issuer);
            actor = actor.on_behalf_of(principal);
        }
        actor
    }
}
