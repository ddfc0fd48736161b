//! Where everything stands below the directory of a log.

use std::path::{Path, PathBuf};

use crate::evidence::tile_path;

/// The names below the directory of a log.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    dir: PathBuf,
}

/// The entries that a directory may have and still be an empty store.
const OWN_NAMES: [&str; 9] =
    ["LOCK", "log.pub", "log.pub.tmp", "checkpoint", "checkpoint.tmp", "segments", "checkpoints", "tile", "quarantine"];

impl Layout {
    pub(crate) fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("LOCK")
    }

    pub(crate) fn verifier_key(&self) -> PathBuf {
        self.dir.join("log.pub")
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.dir.join("segments")
    }

    /// The segment whose first line is `first`.
    pub(crate) fn segment(&self, first: u64) -> PathBuf {
        self.segments().join(format!("{first:020}.jsonl"))
    }

    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.dir.join("checkpoints")
    }

    /// The checkpoint of `size` that is kept for good.
    pub(crate) fn kept_checkpoint(&self, size: u64) -> PathBuf {
        self.checkpoints().join(format!("{size:020}"))
    }

    /// The compact range at `size`.
    pub(crate) fn peaks(&self, size: u64) -> PathBuf {
        self.checkpoints().join(format!("{size:020}.peaks"))
    }

    pub(crate) fn tiles(&self) -> PathBuf {
        self.dir.join("tile")
    }

    /// The full tile at `level` whose first hash is the `index` times 256th (C2SP tlog-tiles).
    pub(crate) fn tile(&self, level: u8, index: u64) -> PathBuf {
        self.dir.join(tile_path(level, index, None))
    }

    pub(crate) fn quarantine(&self) -> PathBuf {
        self.dir.join("quarantine")
    }

    /// The bytes that were cut off in front of what is now line `seq`, for the `again`th time.
    pub(crate) fn quarantined(&self, seq: u64, again: u32) -> PathBuf {
        self.quarantine().join(format!("{seq:020}.{again:03}"))
    }

    /// Whether an entry of the directory belongs to a log, or to every fresh file system.
    pub(crate) fn is_own_name(name: &str) -> bool {
        OWN_NAMES.contains(&name) || name == "lost+found"
    }
}

/// The `seq` of the first line of a segment, from its file name.
pub(crate) fn segment_first(name: &str) -> Option<u64> {
    twenty_digits(name.strip_suffix(".jsonl")?)
}

/// The size of a compact range that is kept, from its file name.
pub(crate) fn peaks_size(name: &str) -> Option<u64> {
    twenty_digits(name.strip_suffix(".peaks")?)
}

/// The size of a checkpoint that is kept for good, from its file name.
pub(crate) fn checkpoint_size(name: &str) -> Option<u64> {
    twenty_digits(name)
}

fn twenty_digits(text: &str) -> Option<u64> {
    (text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
