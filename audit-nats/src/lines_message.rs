//! What one message of lines says.

use audit_core::backend::Head;
use audit_core::record::Frame;
use audit_core::record::line::leaf;

use crate::api::Stored;

/// The number of the first line of a message; `None` if it does not start with a line.
pub(crate) fn first(message: &Stored) -> Option<u64> {
    let line = message.bytes.split(|byte| *byte == b'\n').next()?;
    Frame::parse(line).ok().map(|frame| frame.seq)
}

/// The head of the log behind the last line of a message; `None` if it does not end with a line.
pub(crate) fn head(message: &Stored) -> Option<Head> {
    let lines = message.bytes.strip_suffix(b"\n")?;
    let last = memchr::memrchr(b'\n', lines).map_or(0, |at| at + 1);
    let line = lines.get(last..)?;
    let frame = Frame::parse(line).ok()?;
    Some(Head { size: frame.seq.checked_add(1)?, leaf: leaf(line) })
}

/// The lines of a message, each with its line feed, from `start` on and before `end`; empty if it holds
/// none of them.
pub(crate) fn cut(message: &Stored, start: u64, end: u64) -> &[u8] {
    let Some(first) = first(message) else {
        return &[];
    };
    let (Some(skip), Some(until)) = (start.checked_sub(first), end.checked_sub(first)) else {
        return &[];
    };
    let from = offset(&message.bytes, skip);
    let to = offset(&message.bytes, until);
    message.bytes.get(from..to.max(from)).unwrap_or_default()
}

/// Where the `count`th line starts; the end if there are not so many.
fn offset(bytes: &[u8], count: u64) -> usize {
    let Some(before) = count.checked_sub(1) else {
        return 0;
    };
    let ends = memchr::memchr_iter(b'\n', bytes);
    let nth = usize::try_from(before).ok().and_then(|before| ends.into_iter().nth(before));
    nth.map_or(bytes.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(lines: std::ops::Range<u64>) -> Stored {
        let zeros = "0".repeat(64);
        let lines = lines.map(|seq| format!("{{\"v\":1,\"seq\":{seq},\"prev\":\"{zeros}\",\"kind\":\"event\"}}\n"));
        Stored::of_lines(1, lines.collect::<String>().into_bytes())
    }

    #[test]
    fn lines_are_cut_out_by_their_numbers() {
        let five = message(10..15);
        assert_eq!(first(&five), Some(10));
        assert_eq!(head(&five).map(|head| head.size), Some(15));
        assert_eq!(cut(&five, 10, 99), five.bytes);
        assert_eq!(cut(&five, 12, 14), message(12..14).bytes);
        assert_eq!(cut(&five, 15, 20), b"");
        assert_eq!(cut(&five, 9, 12), b"");
        assert_eq!(cut(&five, 13, 13), b"");
    }

    #[test]
    fn what_is_not_made_of_lines_has_neither_number_nor_head() {
        for bytes in [&b""[..], b"\n", b"{}\n", b"{\"v\":1,\"seq\":1"] {
            let message = Stored::of_lines(1, bytes.to_vec());
            assert_eq!((first(&message), head(&message)), (None, None));
        }
    }
}
