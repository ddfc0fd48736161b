use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use super::location::lies_under;
use crate::evidence::SignedCheckpoint;

/// The longest state that is read, in bytes: some hundred thousand logs.
const TEXT_LIMIT: usize = 256 << 20;

/// What the first line says.
const HEAD: &str = r#"{"fleet_state":1}"#;

/// What a run saw of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// Where the log was.
    pub location: String,
    /// How many records it had.
    pub size: u64,
    /// Its newest good checkpoint.
    pub checkpoint: Option<SignedCheckpoint>,
    /// Where there were copies of it in replicas, and what was seen of each.
    pub copies: BTreeMap<String, SeenCopy>,
}

/// What a run saw of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SeenCopy {
    /// How many records it had.
    pub size: u64,
    /// How many of them its own checkpoint signed.
    pub signed: u64,
}

/// What a run saw of a fleet, so that the next one notices what is gone.
///
/// As text it is JSON lines: one that says what it is, then one for each log. Whoever lets a log go
/// on purpose removes its line. A state only grows: a log that has vanished, and one that is no
/// longer what it was, stay in it as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetState {
    pub(super) logs: BTreeMap<String, Seen>,
}

/// A text is not the state of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetStateError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub detail: String,
}

impl fmt::Display for FleetStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.detail)
    }
}

impl std::error::Error for FleetStateError {}

/// A line for one log.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    log: String,
    location: String,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    copies: BTreeMap<String, SeenCopy>,
}

impl Seen {
    /// How many records its checkpoint signs.
    pub(super) fn signed(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |signed| signed.checkpoint().size)
    }

    fn merge(&mut self, other: Self) {
        let (ours, theirs) = (self.signed(), other.signed());
        if (theirs, other.size) > (ours, self.size) {
            self.location = other.location;
        }
        if theirs > ours {
            self.checkpoint = other.checkpoint;
        }
        self.size = self.size.max(other.size);
        for (place, copy) in other.copies {
            self.copies.entry(place).or_default().advance(copy);
        }
    }
}

impl SeenCopy {
    /// Moves forward, never back.
    pub(super) fn advance(&mut self, now: Self) {
        self.size = self.size.max(now.size);
        self.signed = self.signed.max(now.signed);
    }
}

impl FleetState {
    /// Reads what [`to_text`](Self::to_text) wrote. An empty text is no state: a run that has nothing
    /// to compare with starts from [`FleetState::default`].
    ///
    /// # Errors
    ///
    /// When the text is anything else: another form, a checkpoint that is none or that is of another
    /// log, a log that comes twice, or more than 256 MiB.
    pub fn parse(text: &str) -> Result<Self, FleetStateError> {
        let refused = |line: usize, detail: String| FleetStateError { line: line + 1, detail };
        if text.len() > TEXT_LIMIT {
            return Err(refused(0, "the state is longer than 256 MiB".to_owned()));
        }
        let mut lines = text.split_terminator('\n').enumerate();
        if lines.next().is_none_or(|(_, head)| head != HEAD) {
            return Err(refused(0, format!("a state of a fleet begins with {HEAD}")));
        }
        let mut logs = BTreeMap::new();
        for (at, line) in lines {
            let Line { log, location, size, checkpoint, copies } =
                serde_json::from_str(line).map_err(|error| refused(at, reason(&error)))?;
            let checkpoint = checkpoint.map(|note| read_checkpoint(&note, &log, size)).transpose();
            let checkpoint = checkpoint.map_err(|detail| refused(at, detail))?;
            if logs.insert(log.clone(), Seen { location, size, checkpoint, copies }).is_some() {
                return Err(refused(at, format!("the log {log} comes twice")));
            }
        }
        if !text.ends_with('\n') {
            return Err(refused(text.matches('\n').count(), "the last line is cut short".to_owned()));
        }
        Ok(Self { logs })
    }

    /// The state as text, to be kept where whoever can write the logs cannot.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for (log, seen) in &self.logs {
            let note = seen.checkpoint.as_ref().map(|signed| String::from_utf8_lossy(&signed.to_bytes()).into_owned());
            let (location, copies) = (seen.location.clone(), seen.copies.clone());
            let line = Line { log: log.clone(), location, size: seen.size, checkpoint: note, copies };
            // A struct of texts and numbers is never refused.
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
            text.push('\n');
        }
        text
    }

    /// Whether a log was seen at or under this place. Copies in replicas do not count.
    #[must_use]
    pub fn knows(&self, place: &str) -> bool {
        self.logs.values().any(|seen| lies_under(place, &seen.location))
    }

    /// Takes in what another run saw meanwhile: of each log and each copy, whatever is further on.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (name, theirs) in other.logs {
            match self.logs.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(theirs)),
                Entry::Occupied(mut entry) => entry.get_mut().merge(theirs),
            }
        }
        self
    }

    /// The logs by name, `<origin>/<log id>`, and what was seen of each.
    pub fn logs(&self) -> impl Iterator<Item = (&str, &Seen)> {
        self.logs.iter().map(|(name, seen)| (name.as_str(), seen))
    }
}

/// Why a line is none, without the line number that the parser gives, which is always 1.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn read_checkpoint(note: &str, log: &str, size: u64) -> Result<SignedCheckpoint, String> {
    let signed =
        SignedCheckpoint::parse(note.as_bytes()).map_err(|error| format!("the checkpoint of {log}: {error}"))?;
    let checkpoint = signed.checkpoint();
    if checkpoint.origin != log {
        return Err(format!("the checkpoint of {log} is of {}", checkpoint.origin));
    }
    if checkpoint.size > size {
        return Err(format!("{log} had {size} records, but its checkpoint signs {}", checkpoint.size));
    }
    Ok(signed)
}
