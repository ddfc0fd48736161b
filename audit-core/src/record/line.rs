//! The frame of a line: `{"v":1,"seq":N,"prev":"…",` and the hash that links it to the next.

use crate::evidence::{Hash, leaf_hash};

/// A line without its line feed is at most this long: the entry limit of C2SP tlog-tiles.
pub const LINE_LIMIT: usize = 65_535;

/// The longest frame that precedes the event's own members.
pub(crate) const FRAME_LIMIT: usize = 13 + 20 + 9 + 64 + 2;

/// Appends the frame of line `seq`, whose predecessor has the leaf hash `prev`.
pub(crate) fn write_frame(seq: u64, prev: &Hash, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"v\":1,\"seq\":");
    write_decimal(seq, out);
    out.extend_from_slice(b",\"prev\":\"");
    prev.write_hex(out);
    out.extend_from_slice(b"\",");
}

/// Appends `value` in decimal.
pub(crate) fn write_decimal(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// The hash that is both the chain link and the Merkle leaf of a line (RFC 6962 §2.1).
///
/// `line` is the stored bytes without the line feed.
#[must_use]
pub fn leaf(line: &[u8]) -> Hash {
    leaf_hash(line)
}
