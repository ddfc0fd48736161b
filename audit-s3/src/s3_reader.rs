use std::sync::{Arc, Mutex, PoisonError};

use audit_core::evidence::CompactRange;
use audit_core::record::Frame;
use audit_core::verify::{Finding, LineSource, LogReader, Piece, ReadError};

use super::layout::Folder;
use super::location::Location;
use super::objects::{Lines, Objects};
use super::reading::{Reading, not_a_log};
use super::settings::Settings;
use super::survey::{Seen, Survey};
use super::versions::Listing;

/// The most checkpoints that are read of those that are kept: evenly spread over the log.
const KEPT: usize = 1_024;

/// Reads the log in a bucket. Changes nothing, and works beside a writer.
///
/// Of every object the oldest version is read, whatever was written over it or hides it: the log that
/// was acknowledged verifies, and what was done to it is told by
/// [`inspect`](LogReader::inspect).
///
/// At most eight objects are in memory at a time; none above 8 MiB and a bit is read.
///
/// Calls block until the store answers, each request at most for `read_timeout_ms` (30 s by
/// default). Inside an async runtime they fail, and say so.
#[derive(Clone, Debug)]
pub struct S3Reader {
    reading: Reading,
    seen: Arc<Mutex<Seen>>,
}

impl S3Reader {
    /// A reader of the log at `url`, with further settings as for
    /// [`S3::from_url`](super::S3::from_url). Asks the store whether there is a log.
    ///
    /// # Errors
    ///
    /// [`ReadError::NotALog`] when the URL or a setting is wrong, or there is nothing of a log;
    /// [`ReadError::Unavailable`] when the store does not answer, or refuses.
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, ReadError> {
        let read = Settings::from_url(url, options).and_then(|(location, settings)| Ok((location.of_log()?, settings)));
        let (location, settings) = read.map_err(|error| not_a_log(error.to_string()))?;
        Self::open(&location, &settings)
    }

    fn open(location: &Location, settings: &Settings) -> Result<Self, ReadError> {
        let reading = Reading::of(location, settings)?;
        let store = Arc::clone(&reading.store);
        let there = reading.call("looking for a log at", |deadline| async move {
            for prefix in store.layout.parts() {
                if Listing::new(&store, prefix, None).next(deadline).await?.is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
        })?;
        if there {
            return Ok(Self { reading, seen: Arc::default() });
        }
        Err(not_a_log(format!("{} is not a log: it has neither log.pub nor lines/ nor checkpoints/", location.url())))
    }

    fn oldest(&self, doing: &str, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let store = &self.reading.store;
        self.reading.call(doing, |deadline| store.oldest(key, deadline))
    }
}

impl LogReader for S3Reader {
    fn verifier_key(&self) -> Result<Option<Vec<u8>>, ReadError> {
        self.oldest("reading the verifier key of", &self.reading.store.layout.verifier_key())
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, ReadError> {
        let store = &self.reading.store;
        self.reading.call("reading the newest checkpoint of", |deadline| async move {
            match store.newest(Folder::Checkpoints, deadline).await? {
                Some((_, found)) => store.checkpoint(&found, deadline).await,
                None => Ok(None),
            }
        })
    }

    fn kept_checkpoints(&self) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        let store = &self.reading.store;
        let mut listing = Listing::new(store, store.layout.folder(Folder::Checkpoints), None);
        let (mut chosen, mut stride, mut count) = (Vec::new(), 1, 0_usize);
        loop {
            let page = self.reading.call("listing the checkpoints of", |deadline| listing.turn(deadline));
            let (keys, more) = page?;
            for key in keys {
                let Some(size) = store.layout.number(Folder::Checkpoints, &key.key) else { continue };
                if count % stride == 0 {
                    chosen.push((size, key));
                }
                count += 1;
                if chosen.len() > KEPT {
                    // Every other one of them is enough.
                    chosen = chosen.into_iter().step_by(2).collect();
                    stride *= 2;
                }
            }
            if !more {
                break;
            }
        }
        let mut read = Vec::with_capacity(chosen.len());
        for (size, key) in chosen {
            let got = self.reading.call("reading a checkpoint of", |deadline| store.checkpoint(&key, deadline))?;
            read.extend(got.map(|bytes| (format!("checkpoints/{size:020}"), bytes)));
        }
        Ok(read)
    }

    fn lines(&self, from: u64) -> Result<Box<dyn LineSource>, ReadError> {
        let store = &self.reading.store;
        let start = match from {
            0 => None,
            from => self.reading.call("searching", |deadline| store.holding(from, deadline))?,
        };
        Ok(Box::new(ObjectLines {
            objects: Objects::from(store, start),
            reading: self.reading.clone(),
            seen: Arc::clone(&self.seen),
            from,
            current: Vec::new(),
            delivered: 0,
            before: None,
        }))
    }

    fn size(&self) -> Result<u64, ReadError> {
        let store = &self.reading.store;
        self.reading.call("looking for the end of", |deadline| async move {
            let Some((first, found)) = store.newest(Folder::Lines, deadline).await? else {
                return Ok(0);
            };
            let bytes = store.oldest(&found.key, deadline).await?.unwrap_or_default();
            let ended = bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
            let last = ended.rev().find_map(|line| Frame::parse(line).ok());
            Ok(last.map_or(first, |frame| frame.seq.saturating_add(1)))
        })
    }

    fn compact_range(&self, size: u64) -> Result<Option<CompactRange>, ReadError> {
        let store = &self.reading.store;
        self.reading.call("reading a compact range of", |deadline| store.peaks(size, deadline))
    }

    /// Lists every version under the log's prefix: one request for a thousand. The locks of objects
    /// of which this reader has not delivered the lines are asked for one by one.
    fn inspect(&self) -> Result<Vec<Finding>, ReadError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Survey::new(&self.reading, seen).run()
    }
}

/// The bytes of objects, one after the other.
#[derive(Debug)]
struct ObjectLines {
    reading: Reading,
    objects: Objects,
    seen: Arc<Mutex<Seen>>,
    /// Lines with smaller numbers are passed over in the first object.
    from: u64,
    current: Vec<u8>,
    delivered: usize,
    /// The first line of the object that was delivered last.
    before: Option<u64>,
}

impl LineSource for ObjectLines {
    fn read(&mut self, buffer: &mut [u8]) -> Result<Piece, ReadError> {
        loop {
            let rest = self.current.get(self.delivered..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            if let (Some(from), Some(to)) = (rest.get(..count), buffer.get_mut(..count))
                && count > 0
            {
                to.copy_from_slice(from);
                self.delivered += count;
                return Ok(Piece::Bytes(count));
            }
            let objects = &mut self.objects;
            let Some(lines) = self.reading.call("reading", |deadline| objects.next(deadline))? else {
                return Ok(Piece::End);
            };
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.add(self.before, &lines);
            drop(seen);
            let unended = self.current.last().is_some_and(|last| *last != b'\n');
            self.take(lines);
            if unended {
                return Ok(Piece::PartEnd);
            }
        }
    }
}

impl ObjectLines {
    /// Goes on with the next object; in the first one, with the line that was asked for.
    fn take(&mut self, lines: Lines) {
        self.before = Some(lines.first);
        self.current = lines.object.bytes;
        self.delivered = 0;
        let from = std::mem::take(&mut self.from);
        if from > 0 {
            let earlier = |line: &&[u8]| {
                Frame::parse(line.strip_suffix(b"\n").unwrap_or(line)).is_ok_and(|frame| frame.seq < from)
            };
            let lines = self.current.split_inclusive(|byte| *byte == b'\n');
            self.delivered = lines.take_while(earlier).map(<[u8]>::len).sum();
        }
    }
}
