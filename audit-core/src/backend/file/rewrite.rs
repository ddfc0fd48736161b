//! Writing the lines behind the newest checkpoint again, so that the disk has what is shown.

use std::fs;
use std::os::unix::fs::FileExt as _;

use super::lines;
use super::segments::{Place, Segments};
use super::{create, fault};
use crate::backend::BackendError;

const REWRITING: &str = "writing the end of the log again";

/// How much is copied at once.
const BLOCK: usize = 1 << 20;

/// Writes the bytes between two places again, the same ones, and forces them to disk.
///
/// A crash in between changes nothing: every byte is overwritten with itself.
pub(super) fn again(segments: &Segments, start: Place, end: Place) -> Result<(), BackendError> {
    let mut block = vec![0; BLOCK];
    for index in start.segment..=end.segment {
        let (source, len) = segments.open(index)?;
        let mut offset = if index == start.segment { start.offset } else { 0 };
        let last = if index == end.segment { end.offset } else { len };
        if offset == last {
            continue;
        }
        let path = segments.layout.segment(segments.first(index));
        let failed = |error| fault::failed(REWRITING, &path, error);
        // Not for appending: with O_APPEND a write goes to the end, whatever the offset.
        let target = fs::OpenOptions::new().write(true).open(&path).map_err(failed)?;
        while offset < last {
            let wanted = usize::try_from(last - offset).map_or(BLOCK, |rest| rest.min(BLOCK));
            let read = lines::read_at(&source, &mut block[..wanted], offset).map_err(failed)?;
            if read == 0 {
                break;
            }
            target.write_all_at(&block[..read], offset).map_err(failed)?;
            offset += read as u64;
        }
        target.sync_all().map_err(failed)?;
    }
    let directory = segments.layout.segments();
    create::sync_directory(&directory).map_err(|error| fault::failed(REWRITING, &directory, error))
}
