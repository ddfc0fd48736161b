//! What the versions in a bucket show: hidden, written twice, locked less than was promised.

use std::sync::Arc;

use audit_core::verify::{Class, Finding, FindingKind, ReadError};

use super::layout::Folder;
use super::objects::Lines;
use super::put::Made;
use super::reading::Reading;
use super::versions::{KeyVersions, Listing};

/// The most findings that are listed; the rest is counted.
const LISTED: usize = 1_000;

/// How many locks are asked for at the same time.
const AT_ONCE: usize = 16;

/// What a reader has learned about locks while it delivered lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The first lines of the first and the last object of those that were delivered in a row.
    row: Option<(u64, u64)>,
    weak: Weak,
}

impl Seen {
    /// Takes note of an object that was delivered behind the one that starts with `before`.
    pub(crate) fn add(&mut self, before: Option<u64>, lines: &Lines) {
        match &mut self.row {
            None => self.row = Some((lines.first, lines.first)),
            Some((_, last)) if before == Some(*last) => *last = lines.first,
            Some(_) => return,
        }
        self.weak.add(lines.first, lines.object.lock.weakness());
    }

    fn covers(&self, first: u64) -> bool {
        self.row.is_some_and(|(from, to)| (from..=to).contains(&first))
    }
}

/// Objects whose locks are weaker than they were, those in a row as one.
#[derive(Clone, Debug, Default)]
struct Weak {
    rows: Vec<(u64, u64, String, u64)>,
    going_on: bool,
    left_out: u64,
}

impl Weak {
    fn add(&mut self, first: u64, weakness: Option<String>) {
        let Some(weakness) = weakness else {
            self.going_on = false;
            return;
        };
        let full = self.rows.len() >= LISTED;
        match self.rows.last_mut().filter(|_| self.going_on) {
            Some((_, to, _, count)) => {
                *to = first;
                *count += 1;
            }
            None if full => self.left_out += 1,
            None => self.rows.push((first, first, weakness, 1)),
        }
        self.going_on = true;
    }

    fn findings(self) -> impl Iterator<Item = Finding> {
        let more = self.left_out;
        let rest = (more > 0).then(|| weak_lock(format!("{more} more rows of objects are locked less than promised")));
        let rows = self.rows.into_iter().map(|(first, to, weakness, count)| {
            let others = if count > 1 { format!("; so are {} objects behind it", count - 1) } else { String::new() };
            weak_lock(format!("the object that starts with this line {weakness}{others}")).range(first, to)
        });
        rows.chain(rest)
    }
}

/// Nothing is wrong with the lines; what protects them is not what it was.
fn weak_lock(detail: String) -> Finding {
    Finding::new(FindingKind::Hidden, detail).class(Class::Warning)
}

/// One look at everything under the prefix of a log.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    reading: &'a Reading,
    seen: Seen,
    findings: Vec<Finding>,
    left_out: u64,
    /// Findings about an object of lines, until the next one tells where it ends.
    open: Vec<Finding>,
    /// Objects of lines whose locks have not been seen.
    unseen: Vec<(u64, KeyVersions)>,
}

impl<'a> Survey<'a> {
    pub(crate) const fn new(reading: &'a Reading, seen: Seen) -> Self {
        Self { reading, seen, findings: Vec::new(), left_out: 0, open: Vec::new(), unseen: Vec::new() }
    }

    pub(crate) fn run(mut self) -> Result<Vec<Finding>, ReadError> {
        let store = Arc::clone(&self.reading.store);
        let mut newest_checkpoint = None;
        let mut listing = Listing::new(&store, store.layout.root.clone(), None);
        loop {
            let page = self.reading.call("listing the versions of", |deadline| listing.turn(deadline));
            let (keys, more) = page?;
            for found in keys {
                if let Some(first) = store.layout.number(Folder::Lines, &found.key) {
                    self.lines(first, found)?;
                } else if store.layout.number(Folder::Checkpoints, &found.key).is_some() {
                    self.single(&found)?;
                    newest_checkpoint = Some(found);
                } else if found.key == store.layout.verifier_key() {
                    self.single(&found)?;
                    self.lock_of_single(&found)?;
                }
            }
            if !more {
                break;
            }
        }
        newest_checkpoint.map_or(Ok(()), |found| self.lock_of_single(&found))?;
        self.locks()?;
        self.close(None);
        self.findings.extend(self.seen.weak.findings());
        if self.left_out > 0 {
            let more = self.left_out;
            self.findings.push(Finding::new(FindingKind::Hidden, format!("{more} more findings of this kind")));
        }
        Ok(self.findings)
    }

    fn lines(&mut self, first: u64, found: KeyVersions) -> Result<(), ReadError> {
        self.close(Some(first));
        for finding in self.judge(&found)? {
            self.open.push(finding.at(first));
        }
        if found.oldest.is_some() && !self.seen.covers(first) {
            self.unseen.push((first, found));
            if self.unseen.len() >= AT_ONCE {
                self.locks()?;
            }
        }
        Ok(())
    }

    fn single(&mut self, found: &KeyVersions) -> Result<(), ReadError> {
        let findings = self.judge(found)?;
        for finding in findings {
            self.add(finding);
        }
        Ok(())
    }

    /// The next object of lines starts with line `next`: what is open ends before it.
    fn close(&mut self, next: Option<u64>) {
        for finding in std::mem::take(&mut self.open) {
            let finding = match (finding.seq, next) {
                (Some(first), Some(next)) if next > first => finding.range(first, next - 1),
                _ => finding,
            };
            self.add(finding);
        }
    }

    fn add(&mut self, finding: Finding) {
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// What is wrong with the versions of one key.
    fn judge(&self, found: &KeyVersions) -> Result<Vec<Finding>, ReadError> {
        let mut findings = Vec::new();
        if found.markers > 0 {
            let rest = match found.oldest {
                Some(_) => "its bytes are still there",
                None => "nothing else is left of it",
            };
            let detail = format!("{} is hidden behind a delete marker; {rest}", found.key);
            findings.push(Finding::new(FindingKind::Hidden, detail));
        }
        if !found.is_doubled() {
            return Ok(findings);
        }
        let store = &self.reading.store;
        let made = self.reading.call("comparing versions in", |deadline| async move {
            match store.compare(found, b"", deadline).await {
                // No log leaves what cannot be read: whatever its bytes are, they are not this log's.
                Err(fault) if fault.is_of_object() => Ok(Made::Forked),
                compared => compared,
            }
        })?;
        let count = 1 + found.others.len() as u64 + found.more;
        findings.push(match made {
            Made::Forked => Finding::new(
                FindingKind::Forked,
                format!("{} has {count} versions, with different bytes, too many, or such as cannot be read; the oldest is the one that is read", found.key),
            ),
            // A writer did not hear the answer and sent it again, where nothing keeps the second out.
            Made::Ours | Made::Others(_) => {
                let detail = format!("{} was written {count} times, always with the same bytes", found.key);
                Finding::new(FindingKind::Duplicated, detail).class(Class::Info)
            }
        });
        Ok(findings)
    }

    /// Asks for the locks that have not been seen.
    fn locks(&mut self) -> Result<(), ReadError> {
        let unseen = std::mem::take(&mut self.unseen);
        let store = &self.reading.store;
        let found = self.reading.call("looking at the locks of", |deadline| async move {
            let mut tasks = Vec::with_capacity(unseen.len());
            for (first, found) in unseen {
                let store = Arc::clone(store);
                tasks.push(tokio::spawn(async move {
                    let Some(oldest) = &found.oldest else { return Ok((first, None)) };
                    store.weakness_of(&found.key, oldest, deadline).await.map(|weakness| (first, weakness))
                }));
            }
            let mut locks = Vec::with_capacity(tasks.len());
            for task in tasks {
                match task.await {
                    Ok(lock) => locks.push(lock?),
                    Err(error) => return Err(super::fault::Fault::Broken(error.to_string().into())),
                }
            }
            Ok(locks)
        })?;
        for (first, weakness) in found {
            self.seen.weak.add(first, weakness);
        }
        Ok(())
    }

    fn lock_of_single(&mut self, found: &KeyVersions) -> Result<(), ReadError> {
        let Some(oldest) = &found.oldest else {
            return Ok(());
        };
        let store = &self.reading.store;
        let looked =
            self.reading.call("looking at a lock of", |deadline| store.weakness_of(&found.key, oldest, deadline));
        if let Some(weakness) = looked? {
            self.add(weak_lock(format!("{} {weakness}", found.key)));
        }
        Ok(())
    }
}
