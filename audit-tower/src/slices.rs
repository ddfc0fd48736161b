use std::io::IoSlice;

use bytes::Buf;

/// The most pieces of one frame that are looked at.
const PIECES: usize = 16;

/// Shows the bytes of `data` without taking them. Returns how many were not shown: those of a
/// buffer in more pieces than can be looked at.
pub(crate) fn each_slice(data: &impl Buf, mut show: impl FnMut(&[u8])) -> usize {
    let whole = data.remaining();
    let first = data.chunk();
    if first.len() == whole {
        show(first);
        return 0;
    }
    let mut pieces = [IoSlice::new(&[]); PIECES];
    let count = data.chunks_vectored(&mut pieces);
    let mut shown = 0;
    for piece in pieces.iter().take(count) {
        shown += piece.len();
        show(piece);
    }
    whole.saturating_sub(shown)
}
