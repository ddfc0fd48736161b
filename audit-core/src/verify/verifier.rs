use std::num::NonZero;
use std::thread;
use std::time::SystemTime;

use super::chain::Chain;
use super::heads::{Head, Heads};
use super::inquiry::Inquiry;
use super::judge::judge;
use super::life::Life;
use super::scan::scan;
use super::{Class, Finding, FindingKind, KeySource, LogReader, ReadError, Verdict};
use crate::evidence::{Hash, SignedCheckpoint};
use crate::key::VerifierKey;
use crate::record::micros_since_epoch;

/// After how many times the records that a checkpoint is due for, a log without any is doubtful.
const UNSIGNED: u64 = 8;

/// How far a verifier has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of lines that have been read.
    pub bytes: u64,
    /// Lines that have been checked.
    pub records: u64,
}

/// Checks a whole log: every line, every link, the tree, every checkpoint.
///
/// Uses all cores and a bounded amount of memory, about 150 MiB at most, however long the log is.
pub struct Verifier<'a> {
    key: Option<VerifierKey>,
    against: Vec<SignedCheckpoint>,
    now: Option<SystemTime>,
    threads: Option<NonZero<usize>>,
    progress: Option<&'a mut dyn FnMut(Progress)>,
}

impl std::fmt::Debug for Verifier<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("key", &self.key)
            .field("against", &self.against.len())
            .field("now", &self.now)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl Default for Verifier<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Verifier<'a> {
    /// A verifier that takes the key from the log itself.
    #[must_use]
    pub const fn new() -> Self {
        Self { key: None, against: Vec::new(), now: None, threads: None, progress: None }
    }

    /// Pins the key: one that came from somewhere else than the log. It may have the name of the
    /// log, of its origin, or of a parent of that; see [`VerifierKey::for_origin`].
    #[must_use]
    pub fn key(mut self, key: VerifierKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Adds a checkpoint that was kept somewhere else: the log has to extend it.
    #[must_use]
    pub fn against(mut self, checkpoint: SignedCheckpoint) -> Self {
        self.against.push(checkpoint);
        self
    }

    /// Sets the present time, so that a log that has fallen silent is noticed. Without it the end
    /// of the log says nothing.
    #[must_use]
    pub const fn now(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// Sets how many threads work. Without it, as many as there are cores.
    #[must_use]
    pub const fn threads(mut self, threads: NonZero<usize>) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Is told from time to time, on the calling thread, how far the work has come.
    #[must_use]
    pub fn progress(mut self, progress: &'a mut dyn FnMut(Progress)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Checks the log. Blocks until it is done.
    ///
    /// A log that cannot be read is not an error but a verdict:
    /// [`Unverifiable`](super::Judgement::Unverifiable).
    #[must_use]
    pub fn run(self, reader: &dyn LogReader) -> Verdict {
        self.inquire(reader, &[]).verdict
    }

    /// As [`run`](Self::run), and keeps what is needed to compare the log with another copy of it:
    /// among others, the roots of its tree at `sizes`.
    pub(crate) fn inquire(mut self, reader: &dyn LogReader, sizes: &[u64]) -> Inquiry {
        let source = match self.key {
            Some(_) => KeySource::Pinned,
            None => KeySource::LogPub,
        };
        match self.examine(reader, source, sizes) {
            Ok(inquiry) => inquiry,
            Err(error) => Inquiry::unreadable(Verdict::unreadable(source, error.to_string())),
        }
    }

    fn examine(&mut self, reader: &dyn LogReader, source: KeySource, sizes: &[u64]) -> Result<Inquiry, ReadError> {
        let mut findings = Vec::new();
        // The checkpoints first: a live log only grows, so the lines read later cover them.
        let mut heads = Heads::read(reader, &self.against, &mut findings)?;
        let key = self.choose_key(reader, &mut findings)?;
        let marks = marks(&heads, sizes);
        let mut chain = Chain::new(&marks);
        let mut life = Life::default();
        let broken = self.scan(reader, &marks, &mut chain, &mut life)?;
        chain.finish();
        life.finish(self.now.map(micros_since_epoch).filter(|_| broken.is_none()));

        let name = life.openings.first().filter(|opening| opening.seq == 0);
        let name = name.map(|opening| opening.name.clone());
        if let Some(key) = &key {
            heads.check(key, name.as_deref(), &mut findings);
            openings(&life, key, &mut findings);
        }
        let complete = broken.is_none();
        if complete {
            nothing(&heads, &chain, &mut findings);
        }
        if let Some(error) = broken {
            heads.0.retain(|head| head.size() <= chain.size());
            findings.push(Finding::new(FindingKind::Unverifiable, error.to_string()));
        }
        judge(&mut chain, &heads, &mut findings);
        if let Some(key) = &key {
            hidden(&life, &mut heads, reader, key, name.as_deref(), &mut findings)?;
            unsigned(&life, &heads, &chain, &mut findings);
        }
        if chain.faults.is_empty() {
            findings.extend(life.miscounts.into_vec());
        }
        findings.extend(life.findings.into_vec());
        match reader.inspect() {
            Ok(seen) => findings.extend(seen),
            // What was found in the lines counts all the same.
            Err(error) => findings.push(Finding::new(FindingKind::Unverifiable, error.to_string())),
        }
        let fits = |head: &&Head| chain.roots.at(head.size()) == Some(head.signed.checkpoint().root);
        let newest = heads.good().filter(fits).max_by_key(|head| head.size()).map(|head| head.signed.clone());
        let mut verdict = Verdict {
            key: source,
            records: chain.lines,
            signed: newest.as_ref().map_or(0, |newest| newest.checkpoint().size),
            root: root_of(&chain),
            findings,
        };
        verdict.sort();
        Ok(Inquiry {
            verdict,
            newest,
            size: chain.size(),
            complete,
            fell_silent: life.fell_silent,
            heartbeat: life.heartbeat,
            roots: marks.iter().filter_map(|mark| Some((*mark, chain.roots.at(*mark)?))).collect(),
        })
    }

    /// Reads and checks all lines. The error that ended it early, if one did, is returned apart:
    /// what was found before it counts.
    fn scan(
        &mut self,
        reader: &dyn LogReader,
        marks: &[u64],
        chain: &mut Chain<'_>,
        life: &mut Life,
    ) -> Result<Option<ReadError>, ReadError> {
        let lines = reader.lines(0)?;
        let threads = self.threads.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZero::<usize>::MIN);
        let progress = &mut self.progress;
        let scanned = scan(lines, marks, threads, |examined, bytes| {
            chain.add(&examined);
            life.add(&examined);
            if let Some(progress) = progress {
                progress(Progress { bytes, records: chain.lines });
            }
        });
        Ok(scanned.err())
    }

    /// The key to check signatures with, and what is to be said about where it comes from.
    fn choose_key(
        &self,
        reader: &dyn LogReader,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<VerifierKey>, ReadError> {
        let beside = reader
            .verifier_key()?
            .map(|bytes| VerifierKey::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string()));
        match (&self.key, beside) {
            (Some(pinned), None) => Ok(Some(pinned.clone())),
            (Some(pinned), Some(Ok(key))) => {
                if key.public_key() != pinned.public_key() {
                    findings.push(Finding::new(
                        FindingKind::WrongKey,
                        format!("`log.pub` holds {key}, not the key that was given, {pinned}"),
                    ));
                }
                Ok(Some(pinned.clone()))
            }
            (Some(pinned), Some(Err(error))) => {
                findings.push(Finding::new(
                    FindingKind::WrongKey,
                    format!("`log.pub` is not the key that was given: {error}"),
                ));
                Ok(Some(pinned.clone()))
            }
            (None, Some(Ok(key))) => {
                findings.push(Finding::new(
                    FindingKind::KeyUnpinned,
                    "the key was taken from `log.pub`: whoever could rewrite the log could have replaced it; give the key with `--key`",
                ));
                Ok(Some(key))
            }
            (None, Some(Err(error))) => {
                findings.push(Finding::new(
                    FindingKind::Unverifiable,
                    format!("no key: `log.pub` cannot be used ({error}); give one with `--key`"),
                ));
                Ok(None)
            }
            (None, None) => {
                findings.push(Finding::new(
                    FindingKind::Unverifiable,
                    "no key: there is no `log.pub`; give one with `--key`",
                ));
                Ok(None)
            }
        }
    }
}

/// The sizes, ascending and each once, at which the root of the tree is wanted.
fn marks(heads: &Heads, more: &[u64]) -> Vec<u64> {
    let mut marks = heads.sizes();
    marks.extend_from_slice(more);
    marks.sort_unstable();
    marks.dedup();
    marks
}

fn root_of(chain: &Chain<'_>) -> Hash {
    chain.roots.root()
}

/// What each writer said about the log and its key when it opened it.
fn openings(life: &Life, key: &VerifierKey, findings: &mut Vec<Finding>) {
    let first = life.openings.first();
    for opening in &life.openings {
        let theirs = VerifierKey::parse(&opening.key);
        if !theirs.is_ok_and(|theirs| theirs.public_key() == key.public_key()) {
            findings.push(
                Finding::new(
                    FindingKind::WrongKey,
                    format!("the log was opened with the key {}, not with {key}", opening.key),
                )
                .at(opening.seq),
            );
        }
        if let Some(first) = first
            && first.name != opening.name
        {
            findings.push(
                Finding::new(FindingKind::Forked, format!("the log `{}` goes on as `{}`", first.name, opening.name))
                    .at(opening.seq),
            );
        }
    }
}

/// A record may speak of a newer checkpoint than any that is there.
fn hidden(
    life: &Life,
    heads: &mut Heads,
    reader: &dyn LogReader,
    key: &VerifierKey,
    name: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Result<(), ReadError> {
    let Some((size, seq)) = life.signed else {
        return Ok(());
    };
    if heads.largest() >= size || heads.0.iter().any(|head| !head.good && head.size() >= size) {
        return Ok(());
    }
    // A log that is being written may have got a new one since the first look.
    let known = heads.0.len();
    heads.refresh(reader)?;
    let mut newer = Heads(heads.0.split_off(known));
    newer.check(key, name, &mut Vec::new());
    if newer.largest() < size {
        findings.push(
            Finding::new(
                FindingKind::Hidden,
                format!(
                    "record {seq} says that {size} records were signed, but no checkpoint of that size or more is there"
                ),
            )
            .at(seq),
        );
    }
    Ok(())
}

/// Where nothing was ever written nothing is as it was written.
fn nothing(heads: &Heads, chain: &Chain<'_>, findings: &mut Vec<Finding>) {
    if chain.lines == 0 && heads.largest() == 0 {
        findings.push(Finding::new(
            FindingKind::Unverifiable,
            "there is no record and no checkpoint: a log that was emptied looks the same as one that was never written",
        ));
    }
}

/// A log that nothing signs, though it is long enough for several checkpoints, proves nothing.
fn unsigned(life: &Life, heads: &Heads, chain: &Chain<'_>, findings: &mut Vec<Finding>) {
    let due = life.openings.first().map_or(1_024, |opening| opening.checkpoint_records);
    let tampered = |finding: &Finding| finding.class == Class::Tamper;
    if heads.largest() == 0 && chain.lines > due.saturating_mul(UNSIGNED) && !findings.iter().any(tampered) {
        findings.push(Finding::new(
            FindingKind::Unverifiable,
            format!(
                "no checkpoint is there, though one is due every {due} records: nothing says that these records are those that were written"
            ),
        ));
    }
}
