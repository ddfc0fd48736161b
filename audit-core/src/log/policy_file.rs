//! A policy file, and the thread that looks at it.

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::queue::Entry;
use super::shared::{Shared, lock};
use super::{ChangePolicyError, OpenError, PolicyChange};
use crate::evidence::Hash;
use crate::policy::{Policy, Reading};
use crate::record::{BodyWriter, Kind};

/// The file that a log's rules come from.
#[derive(Debug)]
pub(crate) struct PolicyFile {
    path: PathBuf,
    /// Locked while the file is read and its rules are set, so that the newest reading wins.
    watched: Mutex<Watched>,
    /// Ends the thread when it is dropped.
    ends: Mutex<Option<Sender<Infallible>>>,
}

#[derive(Debug, Default)]
struct Watched {
    /// What stood there at the latest look.
    seen: Option<Stamp>,
    /// Whether that has been read.
    is_read: bool,
    /// The digest of the rules that the file gave last.
    given: Option<Hash>,
    /// What the latest alert was about, until the file can be used again.
    alerted: Option<(Option<Hash>, String)>,
}

/// What changes whenever a file, or the link to it, is replaced or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    modified: (i64, i64),
    changed: (i64, i64),
    length: u64,
}

impl Stamp {
    /// `None` where nothing can be seen at `path`. Follows links.
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            place: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            length: metadata.len(),
        })
    }
}

impl PolicyFile {
    /// Reads the file for the first time.
    pub(crate) fn load(path: PathBuf) -> Result<(Self, Policy), OpenError> {
        let seen = Stamp::of(&path);
        let policy = Reading::of_regular(&path).policy.map_err(OpenError::Policy)?;
        // It was not given the time to hold still: the thread reads it once more.
        let watched = Mutex::new(Watched { seen, given: Some(policy.digest()), ..Watched::default() });
        Ok((Self { path, watched, ends: Mutex::new(None) }, policy))
    }

    /// Takes over what ends the thread.
    pub(crate) fn keep(&self, ends: Sender<Infallible>) {
        *lock(&self.ends) = Some(ends);
    }

    /// Ends the thread.
    pub(crate) fn end(&self) {
        lock(&self.ends).take();
    }

    /// Reads the file and sets its rules, whatever it looked like before.
    pub(crate) fn reload(&self, shared: &Shared) -> Result<Option<PolicyChange>, ChangePolicyError> {
        let mut watched = lock(&self.watched);
        watched.given = None;
        self.read(&mut watched, shared)
    }

    /// Looks whether the file has changed; reads it once it has held still from one look to the next.
    fn look(&self, shared: &Shared) {
        let mut watched = lock(&self.watched);
        let now = Stamp::of(&self.path);
        if now != watched.seen {
            watched.seen = now;
            watched.is_read = false;
        } else if !watched.is_read {
            watched.is_read = true;
            let set = self.read(&mut watched, shared);
            // What cannot be recorded now may be later.
            watched.is_read = !matches!(set, Err(ChangePolicyError::NotRecorded(_)));
        }
    }

    fn read(&self, watched: &mut Watched, shared: &Shared) -> Result<Option<PolicyChange>, ChangePolicyError> {
        let Reading { policy, digest } = Reading::of_regular(&self.path);
        let policy = policy.inspect_err(|_| watched.given = None);
        if policy.as_ref().is_ok_and(|policy| watched.given == Some(policy.digest())) {
            // What the program itself has set since stays until the file says something new.
            watched.alerted = None;
            return Ok(None);
        }
        let given = digest;
        let set = policy.map_err(ChangePolicyError::Policy);
        let set = set.and_then(|policy| shared.set_policy(policy, Some(&self.path)));
        match &set {
            Ok(_) => {
                watched.alerted = None;
                watched.given = given;
            }
            Err(ChangePolicyError::NotRecorded(_)) => {}
            Err(error) => {
                let refused = Some((digest, error.to_string()));
                if watched.alerted != refused {
                    let alert = Entry::own(alert(error, &self.path, digest, shared));
                    // One that finds no room is tried again with the next reading.
                    if shared.queue.push_own(alert).is_ok() {
                        watched.alerted = refused;
                    }
                }
            }
        }
        set
    }
}

/// Looks at the policy file of a log until that closes.
pub(crate) fn watch(shared: &Arc<Shared>, end: &Receiver<Infallible>) {
    let Some(file) = &shared.policy_file else {
        return;
    };
    while end.recv_timeout(shared.limits.policy_interval) == Err(RecvTimeoutError::Timeout)
        && shared.queue.status().open
    {
        // Nothing here panics by intent; if it does, the rules stay and the next change is seen.
        let _ = catch_unwind(AssertUnwindSafe(|| file.look(shared)));
    }
}

/// The `alert` record about a policy file that cannot be used.
fn alert(error: &ChangePolicyError, path: &Path, digest: Option<Hash>, shared: &Shared) -> Vec<u8> {
    let limits = &shared.limits.record;
    let mut body = BodyWriter::new(SystemTime::now(), Kind::Alert, limits.line);
    body.word("about", "policy");
    body.text("reason", &error.to_string(), limits.error);
    body.text("path", &path.to_string_lossy(), 1_024);
    if let ChangePolicyError::Policy(error) = error
        && let Some((line, column)) = error.position()
    {
        body.number("line", line as u64);
        body.number("column", column as u64);
    }
    if let Some(digest) = digest {
        body.word("refused_sha256", &digest.to_hex());
    }
    body.word("policy_sha256", &shared.policy().digest().to_hex());
    body.finish(None)
}
