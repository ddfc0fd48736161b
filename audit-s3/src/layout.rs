//! Where things lie in the bucket.

use super::location::Location;

/// A folder of numbered objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// Batches of lines, each named after its first line.
    Lines,
    /// Checkpoints, each named after its size, and compact ranges beside them.
    Checkpoints,
}

/// The keys of one log.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) bucket: String,
    /// The log's own prefix with its slash.
    pub(crate) root: String,
    /// How messages call the log.
    pub(crate) url: String,
}

impl Layout {
    pub(crate) fn new(location: &Location) -> Self {
        let root = if location.path.is_empty() { String::new() } else { format!("{}/", location.path) };
        Self { bucket: location.bucket.clone(), root, url: location.url() }
    }

    pub(crate) fn verifier_key(&self) -> String {
        format!("{}log.pub", self.root)
    }

    pub(crate) fn probe(&self) -> String {
        format!("{}probe", self.root)
    }

    /// A key that never exists.
    pub(crate) fn nothing(&self) -> String {
        format!("{}probe.none", self.root)
    }

    pub(crate) fn lines(&self, first: u64) -> String {
        format!("{}{first:020}.jsonl", self.folder(Folder::Lines))
    }

    pub(crate) fn checkpoint(&self, size: u64) -> String {
        format!("{}{size:020}", self.folder(Folder::Checkpoints))
    }

    pub(crate) fn peaks(&self, size: u64) -> String {
        format!("{}{size:020}.peaks", self.folder(Folder::Checkpoints))
    }

    /// The prefix of a folder.
    pub(crate) fn folder(&self, folder: Folder) -> String {
        let name = match folder {
            Folder::Lines => "lines/",
            Folder::Checkpoints => "checkpoints/",
        };
        format!("{}{name}", self.root)
    }

    /// The prefixes of what makes a log.
    pub(crate) fn parts(&self) -> [String; 3] {
        [self.verifier_key(), self.folder(Folder::Lines), self.folder(Folder::Checkpoints)]
    }

    /// What a listing has to start behind so that the objects numbered `from` come first.
    pub(crate) fn before(&self, folder: Folder, from: u64) -> Option<String> {
        let last = from.checked_sub(1)?;
        Some(format!("{}{last:020}~", self.folder(folder)))
    }

    /// The number of an object of lines or of a checkpoint; `None` for anything else.
    pub(crate) fn number(&self, folder: Folder, key: &str) -> Option<u64> {
        let name = key.strip_prefix(&self.folder(folder))?;
        let digits = match folder {
            Folder::Lines => name.strip_suffix(".jsonl")?,
            Folder::Checkpoints => name,
        };
        let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse().ok() } else { None }
    }
}
