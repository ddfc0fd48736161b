//! What a crash left that is no part of the log: kept, out of the way.

use std::fs;
use std::io::{self, Read as _, Write as _};

use sha2::{Digest as _, Sha256};

use super::layout::Layout;
use super::segments::{Place, Segments};
use super::{create, fault};
use crate::backend::BackendError;
use crate::evidence::Hash;

const MOVING: &str = "moving what a crash left to quarantine";

/// How often bytes may be cut off in front of the same line before a human has to look.
const TIMES: u32 = 999;

/// What was cut off in front of one line since the log last grew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) bytes: u64,
    /// How many ended lines are among the bytes.
    pub(super) lines: u64,
    /// The digest of all the bytes.
    pub(super) sha256: Option<Hash>,
}

/// Copies everything behind `place` into a file named after line `seq`, then cuts it off.
pub(super) fn move_away(segments: &Segments, place: Place, seq: u64) -> Result<(), BackendError> {
    let layout = &segments.layout;
    let directory = layout.quarantine();
    let failed = |error| fault::failed(MOVING, &directory, error);
    copy(segments, place, seq)?;
    // Last segment first: a crash in between leaves the same rest, only shorter.
    for first in segments.firsts.iter().skip(place.segment + 1).rev() {
        fs::remove_file(layout.segment(*first)).map_err(failed)?;
    }
    if let Some(first) = segments.firsts.get(place.segment) {
        let path = layout.segment(*first);
        let failed = |error| fault::failed(MOVING, &path, error);
        let file = fs::OpenOptions::new().write(true).open(&path).map_err(failed)?;
        file.set_len(place.offset).map_err(failed)?;
        file.sync_all().map_err(failed)?;
    }
    create::sync_directory(&layout.segments()).map_err(failed)
}

fn copy(segments: &Segments, place: Place, seq: u64) -> Result<(), BackendError> {
    let directory = segments.layout.quarantine();
    let failed = |error| fault::failed(MOVING, &directory, error);
    let temporary = directory.join("new.tmp");
    let mut target = create::options().create(true).truncate(true).open(&temporary).map_err(failed)?;
    let mut copied = 0;
    for index in place.segment..segments.firsts.len() {
        let (mut source, _) = segments.open(index)?;
        if index == place.segment {
            io::Seek::seek(&mut source, io::SeekFrom::Start(place.offset)).map_err(failed)?;
        }
        copied += io::copy(&mut source, &mut target).map_err(failed)?;
    }
    target.flush().map_err(failed)?;
    target.sync_all().map_err(failed)?;
    if copied == 0 {
        return fs::remove_file(&temporary).map_err(failed);
    }
    let path = (0..=TIMES)
        .map(|again| segments.layout.quarantined(seq, again))
        .find(|path| !path.exists())
        .ok_or_else(|| BackendError::Misconfigured {
            detail: format!(
                "{} holds too many files for line {seq}; look at them and move them elsewhere",
                directory.display()
            ),
        })?;
    fs::rename(&temporary, &path).map_err(failed)?;
    create::sync_directory(&directory).map_err(failed)
}

/// What was cut off in front of line `seq`. As long as the log has no line `seq`, no record says
/// so yet, whether it was cut off just now or by an opening that was killed afterwards.
pub(super) fn cut_in_front_of(layout: &Layout, seq: u64) -> Result<Cut, BackendError> {
    let mut cut = Cut::default();
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 << 10];
    for again in 0..=TIMES {
        let path = layout.quarantined(seq, again);
        let failed = |error| fault::failed("reading the quarantine", &path, error);
        let mut file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(failed(error)),
        };
        loop {
            let read = file.read(&mut block).map_err(failed)?;
            if read == 0 {
                break;
            }
            hash.update(&block[..read]);
            cut.bytes += read as u64;
            cut.lines += memchr::memchr_iter(b'\n', &block[..read]).count() as u64;
        }
    }
    if cut.bytes > 0 {
        cut.sha256 = Some(Hash::from_bytes(hash.finalize().into()));
    }
    Ok(cut)
}
