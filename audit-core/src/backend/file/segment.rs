//! The segment that lines are appended to.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::layout::Layout;
use super::{create, fault};
use crate::backend::BackendError;

const APPENDING: &str = "appending to a segment";

/// The newest segment, open for appending only (`O_APPEND`).
#[derive(Debug)]
pub(super) struct Segment {
    first: u64,
    path: PathBuf,
    file: Arc<fs::File>,
    /// How long the file is, as far as it was acknowledged.
    len: u64,
}

impl Segment {
    /// Makes the segment that starts with line `first`.
    ///
    /// The directory entry is not forced to disk here: the next sync does it before it
    /// acknowledges anything in the new segment.
    pub(super) fn create(layout: &Layout, first: u64) -> Result<Self, BackendError> {
        let path = layout.segment(first);
        let file = create::options()
            .read(true)
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(|source| fault::failed("making a segment", &path, source))?;
        Ok(Self::from_file(first, path, file, 0))
    }

    /// Opens the segment that starts with line `first`, of which `len` bytes are whole lines.
    pub(super) fn open(layout: &Layout, first: u64, len: u64) -> Result<Self, BackendError> {
        let path = layout.segment(first);
        let file = fs::OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .map_err(|source| fault::failed("opening a segment", &path, source))?;
        Ok(Self::from_file(first, path, file, len))
    }

    fn from_file(first: u64, path: PathBuf, file: fs::File, len: u64) -> Self {
        Self { first, path, file: Arc::new(file), len }
    }

    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) const fn file(&self) -> &Arc<fs::File> {
        &self.file
    }

    /// Appends whole lines: one `write`, unless the kernel takes only a part of them.
    ///
    /// When there is no room, what was written is cut off again. Only if that fails as well is
    /// the result unknown.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), BackendError> {
        let mut written = 0;
        while written < bytes.len() {
            match (&*self.file).write(&bytes[written..]) {
                Ok(0) => return Err(self.undo(written, io::ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.undo(written, error)),
            }
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Takes back the `written` bytes of a batch that did not fit.
    fn undo(&self, written: usize, error: io::Error) -> BackendError {
        if written == 0 || fault::is_broken(&error) {
            return fault::failed(APPENDING, &self.path, error);
        }
        match self.cut() {
            Ok(()) => fault::failed(APPENDING, &self.path, error),
            Err(_) => fault::unknown(APPENDING, &self.path, error),
        }
    }

    /// Cuts off what is not acknowledged.
    fn cut(&self) -> io::Result<()> {
        self.file.set_len(self.len)
    }

    /// Makes the file end after `len` bytes, all of them whole lines.
    pub(super) fn end_at(&mut self, len: u64) -> Result<(), BackendError> {
        self.len = len;
        self.cut().map_err(|source| fault::failed("cutting off an unfinished batch", &self.path, source))
    }

    /// How long the file really is.
    pub(super) fn len_on_disk(&self) -> Result<u64, BackendError> {
        let metadata =
            self.file.metadata().map_err(|source| fault::failed("looking at a segment", &self.path, source))?;
        if metadata.nlink() == 0 {
            return Err(BackendError::Conflict {
                found: None,
                detail: format!("{} was deleted while the log was open", self.path.display()),
            });
        }
        Ok(metadata.len())
    }

    /// Refuses to go on when somebody else, who ignores the lock, changed the length of the file.
    pub(super) fn check_untouched(&self) -> Result<(), BackendError> {
        let found = self.len_on_disk()?;
        if found == self.len {
            return Ok(());
        }
        Err(BackendError::Conflict {
            found: None,
            detail: format!("{} is {found} bytes long, but this writer left it at {}", self.path.display(), self.len),
        })
    }
}
