//! The log on disk, and what its evidence says. (The verifier's side is joined in as it lands.)

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::VerifierKey;
use examples::Failure;

use crate::copy;

/// A closed log and its public key, as its owner handed them over.
pub(crate) struct Evidence {
    directory: PathBuf,
    key: VerifierKey,
    lines: Vec<String>,
}

impl Evidence {
    pub(crate) fn of(directory: &Path) -> Result<Self, Failure> {
        let key = fs::read_to_string(directory.join("log.pub"))?;
        let lines = fs::read_to_string(copy::segment(directory)?)?;
        Ok(Self {
            directory: directory.to_owned(),
            key: VerifierKey::parse(key.trim_end())?,
            lines: lines.lines().map(str::to_owned).collect(),
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The records, without line feeds.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The newest checkpoint.
    pub(crate) fn checkpoint(&self) -> Result<Vec<u8>, Failure> {
        Ok(fs::read(self.directory.join("checkpoint"))?)
    }
}
