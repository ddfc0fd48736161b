//! The call that a policy is asked about.

use audit_core::policy::Subject;
use audit_core::record::{Actor, ActorType};
use serde_json::{Value, json};

use crate::arguments::PolicyExplain;
use crate::ending::Failure;
use crate::safe_text::safe;

/// A call that owns what it is made of.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) actor: Actor,
    action: String,
    method: Option<String>,
    path: Option<String>,
}

impl Call {
    /// The call on the command line, as the adapters would tell the log of it.
    pub(crate) fn read(arguments: &PolicyExplain) -> Result<Self, Failure> {
        let actor = actor(arguments)?;
        if let (Some(method), Some(path)) = (&arguments.method, &arguments.path) {
            if path.contains('?') {
                return Err(Failure::new("--path: a path has no query: leave out the `?` and what follows it"));
            }
            let action = format!("{method} {path}");
            return Ok(Self { actor, action, method: Some(method.clone()), path: Some(path.clone()) });
        }
        let Some(action) = arguments.action.clone() else {
            return Err(Failure::new("give --method and --path, or --action"));
        };
        let is_procedure = !arguments.span && action.matches('/').count() == 1;
        // A remote procedure is called with POST (gRPC over HTTP/2, "Requests").
        let (method, path) =
            if is_procedure { (Some("POST".to_owned()), Some(format!("/{action}"))) } else { (None, None) };
        Ok(Self { actor, action, method, path })
    }

    /// The same call by the same actor, verified or not.
    pub(crate) fn with_verified(&self, verified: bool) -> Self {
        let mut call = self.clone();
        call.actor.verified = verified;
        call
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        let mut subject = Subject::new(&self.actor, &self.action);
        subject.method = self.method.as_deref();
        subject.path = self.path.as_deref();
        subject
    }

    /// Whether the actor says more of itself than that it is nobody.
    pub(crate) fn is_claim(&self) -> bool {
        self.actor.kind != ActorType::Unauthenticated
    }

    /// For people.
    pub(crate) fn in_words(&self) -> String {
        let what = match &self.path {
            Some(path) if self.action == path.get(1..).unwrap_or_default() => {
                format!("the remote procedure {}", safe(&self.action))
            }
            Some(_) => safe(&self.action).into_owned(),
            None => format!("the action {}", safe(&self.action)),
        };
        let id = self.actor.id.as_deref().map(|id| format!(" {}", safe(id))).unwrap_or_default();
        let issuer = self.actor.issuer.as_deref().map(|issuer| format!(" of {}", safe(issuer))).unwrap_or_default();
        let claim = match (self.is_claim(), self.actor.verified) {
            (false, _) => "",
            (true, true) => ", verified",
            (true, false) => ", a claim that nobody verified",
        };
        format!("{what} by {}{id}{issuer}{claim}", self.actor.kind.as_str())
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "actor": {
                "type": self.actor.kind.as_str(),
                "id": self.actor.id,
                "issuer": self.actor.issuer,
                "verified": self.actor.verified,
            },
            "action": self.action,
            "method": self.method,
            "path": self.path,
        })
    }
}

fn actor(arguments: &PolicyExplain) -> Result<Actor, Failure> {
    let Some(text) = &arguments.actor else {
        return Ok(Actor::unauthenticated());
    };
    let (word, id) = text.split_once(':').map_or((text.as_str(), None), |(word, id)| (word, Some(id)));
    let Some(kind) = ActorType::from_word(word) else {
        let known = ActorType::ALL.map(ActorType::as_str).join(", ");
        return Err(Failure::new(format!("--actor: {word:?} is no type of actor; the types are {known}")));
    };
    if kind == ActorType::Unauthenticated && arguments.verified {
        return Err(Failure::new("--verified: nobody is verified as `unauthenticated`"));
    }
    let mut actor = Actor::new(kind);
    actor.id = id.map(str::to_owned);
    actor.issuer = arguments.issuer.clone();
    actor.verified = arguments.verified;
    Ok(actor)
}
