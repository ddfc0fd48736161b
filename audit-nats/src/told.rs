//! What a server says besides answering: that it refuses a subject, that the connection is gone.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_nats::{Event, ServerError};
use tokio::sync::watch;

/// How many events are remembered. Whoever waits looks at each as it comes.
const REMEMBERED: usize = 64;

/// What has been heard, for everybody who waits for an answer on the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Told(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    heard: Mutex<Heard>,
    count: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Heard {
    count: u64,
    events: VecDeque<Event>,
    /// The last thing that a server or the client complained of.
    complaint: Option<String>,
}

/// Why an answer will not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The server refused the request, in these words.
    Forbidden(String),
    /// The server does not let us listen for answers, in these words; the request may have had its effect.
    Deaf(String),
    /// The connection is gone.
    Disconnected,
}

impl Told {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared { heard: Mutex::default(), count: watch::Sender::new(0) }))
    }

    /// Takes note of `event`.
    pub(crate) fn hear(&self, event: Event) {
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match &event {
            Event::Connected => heard.complaint = None,
            Event::ServerError(_) | Event::ClientError(_) => heard.complaint = Some(event.to_string()),
            _ => {}
        }
        heard.count += 1;
        heard.events.push_back(event);
        if heard.events.len() > REMEMBERED {
            heard.events.pop_front();
        }
        let count = heard.count;
        drop(heard);
        self.0.count.send_replace(count);
    }

    /// The last complaint since the connection was made.
    pub(crate) fn complaint(&self) -> Option<String> {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner).complaint.clone()
    }

    /// Starts listening: what is told from now on counts.
    pub(crate) fn listen(&self) -> Listener {
        let mut count = self.0.count.subscribe();
        let seen = *count.borrow_and_update();
        Listener { told: self.clone(), count, seen }
    }
}

/// Somebody who waits for an answer.
#[derive(Debug)]
pub(crate) struct Listener {
    told: Told,
    count: watch::Receiver<u64>,
    seen: u64,
}

impl Listener {
    /// Ends when it is known that a request on `subject` gets no answer.
    pub(crate) async fn no_answer(&mut self, subject: &str) -> NoAnswer {
        loop {
            if let Some(found) = self.look(subject) {
                return found;
            }
            if self.count.changed().await.is_err() {
                return NoAnswer::Disconnected;
            }
        }
    }

    fn look(&mut self, subject: &str) -> Option<NoAnswer> {
        let heard = self.told.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let news = usize::try_from(heard.count - self.seen).unwrap_or(usize::MAX).min(heard.events.len());
        self.seen = heard.count;
        let news = heard.events.iter().skip(heard.events.len() - news);
        news.filter_map(|event| meaning(event, subject)).next()
    }
}

fn meaning(event: &Event, subject: &str) -> Option<NoAnswer> {
    match event {
        Event::Disconnected | Event::Closed => Some(NoAnswer::Disconnected),
        Event::ServerError(ServerError::Other(said)) => refusal(said, subject),
        _ => None,
    }
}

/// Whether the server says that it does not let us publish to `subject`, or listen for answers.
fn refusal(said: &str, subject: &str) -> Option<NoAnswer> {
    let lower = said.to_ascii_lowercase();
    let what = lower.strip_prefix("permissions violation for ")?;
    if what.starts_with("subscription") {
        // All that is ever listened to are answers.
        return Some(NoAnswer::Deaf(said.to_owned()));
    }
    what.contains(&format!("\"{}\"", subject.to_ascii_lowercase())).then(|| NoAnswer::Forbidden(said.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_subject() {
        let said = "Permissions Violation for Publish to \"audit.payments.lines\"";
        assert_eq!(refusal(said, "audit.payments.lines"), Some(NoAnswer::Forbidden(said.into())));
        assert_eq!(refusal(said, "audit.payments.key"), None);
        assert_eq!(refusal("Stale Connection", "audit.payments.key"), None);
    }

    #[test]
    fn who_may_not_hear_the_answer_does_not_know_what_became_of_the_request() {
        let said = "Permissions Violation for Subscription to \"_INBOX.x.*\"";
        assert_eq!(refusal(said, "audit.payments.key"), Some(NoAnswer::Deaf(said.into())));
    }
}
