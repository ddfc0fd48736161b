use std::collections::{HashMap, VecDeque};

use crate::record::{ActivityId, ActorType, Kind, Record};

/// How many calls may wait for their outcome before the oldest is forgotten.
const WAITING: usize = 65_536;

/// Which records somebody wants to see. A call is two records, and is shown whole: its intent and
/// its outcome have to match together.
///
/// Texts match exactly, or with `*` for any number of characters.
#[derive(Clone, Debug, Default)]
pub struct Query {
    actor: Option<String>,
    action: Option<String>,
    result: Option<String>,
    trace: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
}

impl Query {
    /// Everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only calls of this actor: its id, or its type in one word, such as `service_account`. An
    /// actor that became known later, and stands in the outcome, counts too.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Only calls with this action.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Only calls that ended like this. `unknown` also finds those whose end is not recorded.
    #[must_use]
    pub fn result(mut self, result: impl Into<String>) -> Self {
        self.result = Some(result.into());
        self
    }

    /// Only calls of this trace: a trace id, or a whole `traceparent` (W3C Trace Context §3.2).
    #[must_use]
    pub fn trace(mut self, trace: impl Into<String>) -> Self {
        self.trace = Some(trace.into());
        self
    }

    /// Only what began at this time or later, in microseconds since 1970.
    #[must_use]
    pub const fn since(mut self, micros: i64) -> Self {
        self.since = Some(micros);
        self
    }

    /// Only what began before this time, in microseconds since 1970.
    #[must_use]
    pub const fn until(mut self, micros: i64) -> Self {
        self.until = Some(micros);
        self
    }

    /// Starts looking.
    #[must_use]
    pub fn search(self) -> Search {
        Search { query: self, waiting: HashMap::new(), order: VecDeque::new() }
    }

    /// Whether only calls can match, and no record that the log writes about itself.
    const fn asks_for_calls(&self) -> bool {
        self.actor.is_some() || self.action.is_some() || self.result.is_some() || self.trace.is_some()
    }

    fn matches_time(&self, record: &Record<'_>) -> bool {
        let time = record.time_micros();
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    fn matches_actor(&self, record: &Record<'_>) -> bool {
        let Some(wanted) = &self.actor else {
            return true;
        };
        let Some(actor) = record.member("actor") else {
            return false;
        };
        let is = |name, pattern: &str| {
            let text = actor.member(name).and_then(|member| member.text());
            text.is_some_and(|text| like(pattern, &text))
        };
        is("id", wanted) || (ActorType::from_word(wanted).is_some() && is("type", wanted))
    }

    fn matches_action(&self, record: &Record<'_>) -> bool {
        let matches = |wanted: &String| record.text("action").is_some_and(|action| like(wanted, &action));
        self.action.as_ref().is_none_or(matches)
    }

    fn matches_trace(&self, record: &Record<'_>) -> bool {
        let Some(wanted) = &self.trace else {
            return true;
        };
        record.text("trace").is_some_and(|trace| trace == wanted.as_str() || trace.get(3..35) == Some(wanted.as_str()))
    }

    fn matches_result(&self, record: &Record<'_>) -> bool {
        let matches = |wanted: &String| record.text("result").is_some_and(|result| like(wanted, &result));
        self.result.as_ref().is_none_or(matches)
    }
}

/// An intent whose outcome has not been seen.
#[derive(Debug)]
struct Waiting {
    /// Its line, unless that has been shown already.
    line: Option<Vec<u8>>,
    /// Whether only the actor is left to match.
    actor_matches: bool,
}

/// A query that goes through a log.
#[derive(Debug)]
pub struct Search {
    query: Query,
    waiting: HashMap<ActivityId, Waiting>,
    order: VecDeque<ActivityId>,
}

impl Search {
    /// Takes the next record of the log and shows those lines that are now known to match.
    ///
    /// Keeps the intents that wait for their outcome, at most 65,536; an older one that has none
    /// by then is taken to match only what it matches by itself.
    pub fn next(&mut self, record: &Record<'_>, mut show: impl FnMut(&[u8])) {
        match record.kind() {
            Some(Kind::Intent) => self.intent(record, &mut show),
            Some(Kind::Outcome) => self.outcome(record, &mut show),
            Some(Kind::Event) => {
                let query = &self.query;
                if query.result.is_none()
                    && query.matches_time(record)
                    && query.matches_actor(record)
                    && query.matches_action(record)
                    && query.matches_trace(record)
                {
                    show(record.line());
                }
            }
            _ => {
                if !self.query.asks_for_calls() && self.query.matches_time(record) {
                    show(record.line());
                }
            }
        }
    }

    /// The end of the log: shows the calls whose outcome is not recorded, if those are wanted.
    pub fn finish(mut self, mut show: impl FnMut(&[u8])) {
        if self.query.result.as_deref() != Some("unknown") {
            return;
        }
        for id in std::mem::take(&mut self.order) {
            if let Some(Waiting { line: Some(line), actor_matches: true }) = self.waiting.remove(&id) {
                show(&line);
            }
        }
    }

    fn intent(&mut self, record: &Record<'_>, show: &mut impl FnMut(&[u8])) {
        let query = &self.query;
        if !(query.matches_time(record) && query.matches_action(record) && query.matches_trace(record)) {
            return;
        }
        let actor_matches = query.matches_actor(record);
        let shown = actor_matches && query.result.is_none();
        if shown {
            show(record.line());
        }
        let Some(id) = record.id() else {
            return;
        };
        if self.order.len() >= WAITING
            && let Some(oldest) = self.order.pop_front()
        {
            self.waiting.remove(&oldest);
        }
        let line = (!shown).then(|| record.line().to_vec());
        self.waiting.insert(id, Waiting { line, actor_matches });
        self.order.push_back(id);
        // Calls that have ended leave their place in the order behind: sweep it now and then.
        if self.order.len() >= 1_024 && self.order.len() > 4 * self.waiting.len() {
            let waiting = &self.waiting;
            self.order.retain(|id| waiting.contains_key(id));
        }
    }

    fn outcome(&mut self, record: &Record<'_>, show: &mut impl FnMut(&[u8])) {
        let Some(waiting) = record.id().and_then(|id| self.waiting.remove(&id)) else {
            return;
        };
        let query = &self.query;
        let actor = waiting.actor_matches || query.matches_actor(record);
        if actor && query.matches_result(record) {
            if let Some(line) = waiting.line {
                show(&line);
            }
            show(record.line());
        }
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any number of characters.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text) in [("a", "a"), ("*", ""), ("a*", "abc"), ("*c", "abc"), ("a*c", "ac"), ("a*b*c", "axbxc")]
        {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("", "a"), ("a*", "ba"), ("a*a", "a"), ("a*b*c", "acb")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }
}
