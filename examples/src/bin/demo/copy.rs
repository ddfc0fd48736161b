//! A copy of the log in somebody else's hands, who can do with its bytes what they like.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::Key;
use audit_core::evidence::{Checkpoint, CompactRange, Hash, SignedCheckpoint, leaf_hash};
use examples::Failure;

use crate::evidence::Evidence;

/// The copy: its lines, without line feeds, and its folder.
pub(crate) struct Copy {
    pub(crate) lines: Vec<String>,
    directory: PathBuf,
}

impl Copy {
    /// Copies the whole log into the new folder `directory`.
    pub(crate) fn of(evidence: &Evidence, directory: PathBuf) -> Result<Self, Failure> {
        copy_folder(evidence.directory(), &directory)?;
        Ok(Self { lines: evidence.lines().to_vec(), directory })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes the lines back.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let mut text = self.lines.join("\n");
        text.push('\n');
        fs::write(segment(&self.directory)?, text)?;
        Ok(())
    }

    /// The number of the first line that contains `what`.
    pub(crate) fn find(&self, what: &str) -> Result<usize, Failure> {
        let found = self.lines.iter().position(|line| line.contains(what));
        found.ok_or_else(|| format!("no record contains {what}").into())
    }

    /// Gives every line from `first` on its place and its link again, so that the chain holds.
    pub(crate) fn chain_again(&mut self, first: usize) -> Result<(), Failure> {
        let mut prev = match first.checked_sub(1) {
            Some(before) => leaf_hash(self.lines[before].as_bytes()),
            None => Hash::ZERO,
        };
        for (seq, line) in self.lines.iter_mut().enumerate().skip(first) {
            let own = line.find(r#""time":"#).ok_or("a record without a time")?;
            let members = line.split_off(own);
            *line = format!(r#"{{"v":1,"seq":{seq},"prev":"{}",{members}"#, prev.to_hex());
            prev = leaf_hash(line.as_bytes());
        }
        Ok(())
    }

    /// Replaces the newest checkpoint by one over the lines as they are now, signed with `key`, and
    /// drops what the log derived from the lines that were there.
    pub(crate) fn sign(&self, key: &Key) -> Result<(), Failure> {
        let mut range = CompactRange::new();
        for line in &self.lines {
            range.push(leaf_hash(line.as_bytes()));
        }
        let checkpoint = Checkpoint::new(key.name(), range.size(), range.root());
        let signed = SignedCheckpoint::sign(checkpoint, [key])?;
        self.put_checkpoint(&signed.to_bytes())
    }

    /// Replaces the newest checkpoint, and drops what the log derived from the lines.
    pub(crate) fn put_checkpoint(&self, note: &[u8]) -> Result<(), Failure> {
        fs::write(self.directory.join("checkpoint"), note)?;
        for derived in ["checkpoints", "tile"] {
            let folder = self.directory.join(derived);
            fs::remove_dir_all(&folder)?;
            fs::create_dir(&folder)?;
        }
        Ok(())
    }

    /// Replaces the public key that stands beside the lines.
    pub(crate) fn put_key(&self, key: &Key) -> Result<(), Failure> {
        fs::write(self.directory.join("log.pub"), format!("{}\n", key.verifier()))?;
        Ok(())
    }
}

/// The only file of lines; a log as short as this one has no second.
pub(crate) fn segment(directory: &Path) -> Result<PathBuf, Failure> {
    let mut segments = fs::read_dir(directory.join("segments"))?;
    let first = segments.next().ok_or("the log has no segment")??;
    Ok(first.path())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
