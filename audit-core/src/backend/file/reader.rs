use std::fs;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use super::layout::{self, Layout};
use super::{lines, peaks};
use crate::evidence::{CompactRange, SignedNote, tile_path};
use crate::record::Frame;
use crate::verify::{LineSource, LogReader, Piece, ReadError};

/// The longest text of a verifier key that is read.
const KEY_LIMIT: u64 = 4_096;

/// How much is read of the end of a segment to find its last line: more than two lines.
const LAST_LINES: usize = 160 << 10;

/// The bytes of a full hash tile (C2SP tlog-tiles).
const TILE_BYTES: u64 = 8_192;

/// Reads the log in a directory. Takes no lock, changes nothing, and works beside a writer.
///
/// Blocks as long as the disk does.
#[derive(Clone, Debug)]
pub struct FileReader {
    layout: Layout,
}

impl FileReader {
    /// A reader of the log in `dir`.
    ///
    /// # Errors
    ///
    /// [`ReadError::NotALog`] when there is no such directory, or none of what a log has.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, ReadError> {
        let layout = Layout::new(dir);
        let not_a_log =
            |why: &str| ReadError::NotALog { detail: format!("{} is not a log: {why}", layout.dir().display()) };
        match fs::metadata(layout.dir()) {
            Ok(found) if !found.is_dir() => return Err(not_a_log("it is not a directory")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(not_a_log("there is no such directory"));
            }
            Err(error) => return Err(failed("opening", layout.dir(), error)),
        }
        let own = [layout.segments(), layout.checkpoint(), layout.verifier_key()];
        if !own.iter().any(|path| path.exists()) {
            return Err(not_a_log("it has neither `segments` nor `checkpoint` nor `log.pub`"));
        }
        Ok(Self { layout })
    }

    /// The segments, oldest first: the number of the first line, and the file.
    fn segments(&self) -> Result<Vec<(u64, PathBuf)>, ReadError> {
        let mut found = list(&self.layout.segments(), layout::segment_first)?;
        found.sort_unstable();
        Ok(found)
    }
}

impl LogReader for FileReader {
    fn verifier_key(&self) -> Result<Option<Vec<u8>>, ReadError> {
        read_small(&self.layout.verifier_key(), KEY_LIMIT)
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, ReadError> {
        read_small(&self.layout.checkpoint(), SignedNote::SIZE_LIMIT as u64)
    }

    fn kept_checkpoints(&self) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        let mut found = list(&self.layout.checkpoints(), layout::checkpoint_size)?;
        found.sort_unstable();
        let mut read = Vec::with_capacity(found.len());
        for (size, path) in found {
            if let Some(bytes) = read_small(&path, SignedNote::SIZE_LIMIT as u64)? {
                read.push((format!("checkpoints/{size:020}"), bytes));
            }
        }
        Ok(read)
    }

    fn lines(&self, from: u64) -> Result<Box<dyn LineSource>, ReadError> {
        let mut segments = self.segments()?;
        let mut skip = 0;
        if from > 0 {
            let behind = segments.partition_point(|(first, _)| *first <= from);
            segments.drain(..behind.saturating_sub(1));
            if let Some((_, path)) = segments.first() {
                skip = offset_of(path, from)?;
            }
        }
        let mut paths: Vec<PathBuf> = segments.into_iter().map(|(_, path)| path).collect();
        paths.reverse();
        Ok(Box::new(SegmentLines { waiting: paths, current: None, skip }))
    }

    fn size(&self) -> Result<u64, ReadError> {
        let mut segments = self.segments()?;
        while let Some((first, path)) = segments.pop() {
            if let Some(last) = last_seq(&path).map_err(|error| failed("reading", &path, error))? {
                return Ok(last + 1);
            }
            if first == 0 || segments.is_empty() {
                return Ok(first);
            }
        }
        Ok(0)
    }

    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let path = self.layout.dir().join(tile_path(level, index, None));
        read_small(&path, TILE_BYTES)
    }

    fn compact_range(&self, size: u64) -> Result<Option<CompactRange>, ReadError> {
        Ok(peaks::read(&self.layout, size))
    }

    fn size_hint(&self) -> Option<u64> {
        let segments = self.segments().ok()?;
        let lengths = segments.iter().map(|(_, path)| fs::metadata(path).map_or(0, |found| found.len()));
        Some(lengths.sum())
    }
}

/// The bytes of segments, one file after the other.
#[derive(Debug)]
struct SegmentLines {
    /// Files that have not been opened, the next one last.
    waiting: Vec<PathBuf>,
    current: Option<(fs::File, PathBuf)>,
    /// How much of the first file is passed over.
    skip: u64,
}

impl LineSource for SegmentLines {
    fn read(&mut self, buffer: &mut [u8]) -> Result<Piece, ReadError> {
        loop {
            let Some((file, path)) = &mut self.current else {
                let Some(path) = self.waiting.pop() else {
                    return Ok(Piece::End);
                };
                let mut file = open_file(&path).map_err(|error| failed("opening", &path, error))?;
                if self.skip > 0 {
                    file.seek(io::SeekFrom::Start(self.skip)).map_err(|error| failed("reading", &path, error))?;
                    self.skip = 0;
                }
                self.current = Some((file, path));
                continue;
            };
            match file.read(buffer) {
                Ok(0) if self.waiting.is_empty() => return Ok(Piece::End),
                Ok(0) => {
                    self.current = None;
                    return Ok(Piece::PartEnd);
                }
                Ok(count) => return Ok(Piece::Bytes(count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("reading", path, error)),
            }
        }
    }
}

/// Where line `seq` starts in a segment; the end of the file when it is not there.
fn offset_of(path: &Path, seq: u64) -> Result<u64, ReadError> {
    let found = open_file(path).and_then(|file| {
        let end = file.metadata()?.len();
        Ok(lines::find(&file, end, seq)?.unwrap_or(end))
    });
    found.map_err(|error| failed("searching", path, error))
}

/// The number of the last ended line of a segment that has a frame, if there is one at its end.
fn last_seq(path: &Path) -> io::Result<Option<u64>> {
    let file = open_file(path)?;
    let length = file.metadata()?.len();
    let wanted = LAST_LINES.min(usize::try_from(length).unwrap_or(LAST_LINES));
    let mut bytes = vec![0; wanted];
    let read = lines::read_at(&file, &mut bytes, length - wanted as u64)?;
    let bytes = bytes.get(..read).unwrap_or_default();
    let ended = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    let lines = bytes.get(..ended).unwrap_or_default().split(|byte| *byte == b'\n');
    Ok(lines.rev().find_map(|line| Frame::parse(line).ok()).map(|frame| frame.seq))
}

/// The entries of a directory whose names `number` understands; none when it is not there.
fn list(dir: &Path, number: impl Fn(&str) -> Option<u64>) -> Result<Vec<(u64, PathBuf)>, ReadError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("listing", dir, error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed("listing", dir, error))?;
        if let Some(number) = entry.file_name().to_str().and_then(&number) {
            found.push((number, entry.path()));
        }
    }
    Ok(found)
}

/// A file of at most `limit` bytes, one more if it is longer; `None` if it is not there.
fn read_small(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let file = match open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("opening", path, error)),
    };
    // Room for one byte more than there should be, so that the end is seen at once.
    let mut bytes = Vec::with_capacity(usize::try_from(limit).map_or(0, |limit| limit.min(TILE_BYTES as usize)) + 64);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| failed("reading", path, error))?;
    Ok(Some(bytes))
}

/// Opens a regular file: of a pipe that somebody put there, opening would never end.
fn open_file(path: &Path) -> io::Result<fs::File> {
    if fs::metadata(path)?.is_file() {
        fs::File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

fn failed(doing: &str, path: &Path, error: io::Error) -> ReadError {
    ReadError::unavailable(format!("{doing} {}", path.display()), error)
}
