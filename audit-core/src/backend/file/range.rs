//! The compact range at the newest checkpoint: from what was kept beside it, or from the lines.

use super::lines::Lines;
use super::peaks;
use super::recover::{Place, Segments};
use super::signed::Signed;
use crate::backend::BackendError;
use crate::evidence::CompactRange;
use crate::record::line;

/// Derives the compact range whose root the newest checkpoint signs.
///
/// Nothing that was kept is believed: only a range that hashes to the signed root counts.
pub(super) fn derive(
    segments: &Segments<'_>,
    signed: &Signed,
) -> Result<CompactRange, BackendError> {
    let fits = |range: &CompactRange| range.size() == signed.size && range.root() == signed.root;
    if let Some(range) = peaks::read(segments.layout, signed.size).filter(fits) {
        return Ok(range);
    }
    for size in peaks::sizes(segments.layout) {
        if size < signed.size
            && let Some(range) = peaks::read(segments.layout, size)
            && let Some(range) = extend(segments, range, signed.size)?.filter(fits)
        {
            return Ok(range);
        }
    }
    extend(segments, CompactRange::new(), signed.size)?
        .filter(fits)
        .ok_or_else(|| BackendError::Tampered {
            seq: None,
            detail: format!("the first {} lines do not have the root that the newest checkpoint signs; keep the directory as evidence and start a new log elsewhere", signed.size),
        })
}

/// Adds the lines up to `size` to `range`; `None` if they are not all there.
fn extend(
    segments: &Segments<'_>,
    mut range: CompactRange,
    size: u64,
) -> Result<Option<CompactRange>, BackendError> {
    if range.size() == size {
        return Ok(Some(range));
    }
    let Some(start) = segments.find(range.size())? else {
        return Ok(None);
    };
    for segment in start.segment..segments.firsts.len() {
        let place = Place {
            segment,
            offset: if segment == start.segment {
                start.offset
            } else {
                0
            },
        };
        let (file, len) = segments.open(place.segment)?;
        let mut lines = Lines::new(&file, place.offset, len);
        while range.size() < size {
            match lines.next().map_err(|error| segments.failed(error))? {
                Some(bytes) => range.push(line::leaf(bytes)),
                None => break,
            }
        }
    }
    Ok((range.size() == size).then_some(range))
}
