//! Finding out which log a place holds, before it is verified.

use super::LogAt;
use crate::evidence::SignedCheckpoint;
use crate::key::VerifierKey;
use crate::record::{Kind, Record};
use crate::verify::inquiry::Inquiry;
use crate::verify::{Lines, LogReader, ReadError};

/// A log at one place, as far as it is known.
#[derive(Debug)]
pub(super) struct Place<'p, 'a> {
    pub(super) at: &'p LogAt<'a>,
    /// The replica store that it is in; `None` for a log of the fleet itself.
    pub(super) store: Option<usize>,
    pub(super) name: Option<String>,
    /// How many records it had at the first look; 0 if it could not be read.
    pub(super) size: u64,
    /// Why the first look saw nothing. It is not looked at again: what is read only the second time
    /// would be compared with nothing.
    pub(super) unread: Option<ReadError>,
    /// What verifying it came to.
    pub(super) inquiry: Option<Inquiry>,
}

impl<'p, 'a> Place<'p, 'a> {
    /// Takes a first look.
    pub(super) fn look(at: &'p LogAt<'a>, store: Option<usize>) -> Self {
        let seen = at.reader().and_then(|reader| Ok((name(&*reader)?, reader.size()?)));
        let (name, size, unread) = match seen {
            Ok((name, size)) => (name, size, None),
            Err(error) => (None, 0, Some(error)),
        };
        Self { at, store, name, size, unread, inquiry: None }
    }

    /// The one with most records; the first of several that are as large.
    pub(super) fn largest(places: &[Self]) -> Option<&Self> {
        places.iter().rev().max_by_key(|place| place.inquiry.as_ref().map_or(place.size, |inquiry| inquiry.size))
    }

    pub(super) const fn is_replica(&self) -> bool {
        self.store.is_some()
    }

    /// The place by which the next run knows it.
    pub(super) fn known_as(&self) -> &str {
        self.at.place()
    }

    pub(super) fn location(&self) -> &str {
        self.at.location()
    }
}

/// The name of a log, `<origin>/<log id>`: as its first record says, else its newest checkpoint, else
/// its key. All of them are claims; verifying says whether they agree.
fn name(reader: &dyn LogReader) -> Result<Option<String>, ReadError> {
    if let Some(line) = Lines::from(reader, 0)?.next_line()?
        && let Ok(record) = Record::parse(line)
        && record.seq() == 0
        && record.kind() == Some(Kind::LogOpened)
        && let (Some(origin), Some(log)) = (record.text("origin"), record.text("log"))
    {
        return Ok(Some(format!("{origin}/{log}")));
    }
    if let Some(bytes) = reader.checkpoint()?
        && let Ok(signed) = SignedCheckpoint::parse(&bytes)
    {
        return Ok(Some(signed.checkpoint().origin.clone()));
    }
    let key = reader.verifier_key()?.and_then(|text| VerifierKey::parse(&String::from_utf8_lossy(&text)).ok());
    Ok(key.map(|key| key.name().to_owned()))
}
