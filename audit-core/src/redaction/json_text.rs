use zeroize::Zeroizing;

/// Why no token could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The text ends in it.
    Ends,
    /// It is none.
    Malformed,
}

/// Where the string ends whose opening quote is at `start`, its closing quote included (RFC 8259 §7).
pub(super) fn string_end(text: &[u8], start: usize) -> Result<usize, Unread> {
    let mut at = start + 1;
    loop {
        match text.get(at).ok_or(Unread::Ends)? {
            b'"' => return Ok(at + 1),
            b'\\' => at = escape_end(text, at)?,
            0..0x20 => return Err(Unread::Malformed),
            _ => at += 1,
        }
    }
}

fn escape_end(text: &[u8], start: usize) -> Result<usize, Unread> {
    match text.get(start + 1).ok_or(Unread::Ends)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(start + 2),
        b'u' => {
            for at in start + 2..start + 6 {
                if !text.get(at).ok_or(Unread::Ends)?.is_ascii_hexdigit() {
                    return Err(Unread::Malformed);
                }
            }
            Ok(start + 6)
        }
        _ => Err(Unread::Malformed),
    }
}

/// Where the number ends that starts at `start` (RFC 8259 §6).
pub(super) fn number_end(text: &[u8], start: usize) -> Result<usize, Unread> {
    let digits = |from: usize| -> Result<usize, Unread> {
        let count = text.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        match (count, text.get(from)) {
            (0, None) => Err(Unread::Ends),
            (0, Some(_)) => Err(Unread::Malformed),
            _ => Ok(from + count),
        }
    };
    let first = start + usize::from(text.get(start) == Some(&b'-'));
    let mut at = digits(first)?;
    if text.get(first) == Some(&b'0') && at > first + 1 {
        return Err(Unread::Malformed);
    }
    if text.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let signed = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits(at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

/// Where `true`, `false` or `null` ends, if it starts at `start`.
pub(super) fn word_end(text: &[u8], start: usize) -> Result<usize, Unread> {
    let rest = text.get(start..).unwrap_or_default();
    for word in ["true", "false", "null"] {
        if rest.starts_with(word.as_bytes()) {
            return Ok(start + word.len());
        }
        if word.as_bytes().starts_with(rest) {
            return Err(Unread::Ends);
        }
    }
    Err(Unread::Malformed)
}

/// What the inside of a string says, its escapes resolved, handed to `read` and wiped after that.
/// `None` when half of a surrogate pair stands alone.
pub(super) fn with_resolved<R>(inside: &str, read: impl FnOnce(&str) -> R) -> Option<R> {
    if !inside.contains('\\') {
        return Some(read(inside));
    }
    // No escape is shorter than what it stands for, so this never grows.
    let mut resolved = Zeroizing::new(String::with_capacity(inside.len()));
    let mut pieces = inside.split('\\');
    resolved.push_str(pieces.next().unwrap_or_default());
    while let Some(piece) = pieces.next() {
        let mut characters = piece.chars();
        let character = match characters.next() {
            // Two backslashes: the text behind the second is the next piece.
            None => {
                resolved.push('\\');
                resolved.push_str(pieces.next().unwrap_or_default());
                continue;
            }
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let unit = code_unit(piece)?;
                characters = piece.get(5..)?.chars();
                let low = if (0xd800..0xdc00).contains(&unit) {
                    let next = pieces.next()?;
                    characters = next.get(5..)?.chars();
                    Some(code_unit(next)?)
                } else {
                    None
                };
                char::decode_utf16([unit].into_iter().chain(low)).next()?.ok()?
            }
            Some(other) => other,
        };
        resolved.push(character);
        resolved.push_str(characters.as_str());
    }
    Some(read(&resolved))
}

/// The number in `uXXXX…`.
fn code_unit(piece: &str) -> Option<u16> {
    u16::from_str_radix(piece.strip_prefix('u')?.get(..4)?, 16).ok()
}
