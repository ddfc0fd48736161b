//! Writing JSON strings and numbers (RFC 8259 §6-7) into a growing buffer.

use super::line::write_decimal;

/// Integers from here on are not exact in IEEE 754 and are written as strings.
pub(crate) const EXACT_LIMIT: u64 = 1 << 53;

/// What each byte below needs: 0 nothing, 1 `\u00XX`, else the letter after the backslash.
const ESCAPE: [u8; 256] = {
    let mut table = [0_u8; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = 1;
        control += 1;
    }
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Appends `text` as a JSON string of at most `limit` bytes, quotes not counted, cut between
/// characters. Returns whether all of it was written.
pub(crate) fn write_string(text: &str, limit: usize, out: &mut Vec<u8>) -> bool {
    out.push(b'"');
    let whole = write_escaped(text, limit, out);
    out.push(b'"');
    whole
}

fn write_escaped(text: &str, limit: usize, out: &mut Vec<u8>) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() <= limit && !bytes.iter().any(|byte| ESCAPE[usize::from(*byte)] != 0) {
        out.extend_from_slice(bytes);
        return true;
    }
    let mut room = limit;
    for character in text.chars() {
        let mut utf8 = [0; 4];
        let encoded = character.encode_utf8(&mut utf8).as_bytes();
        let escape = ESCAPE[usize::from(encoded[0])];
        let length = match escape {
            0 => encoded.len(),
            1 => 6,
            _ => 2,
        };
        if length > room {
            return false;
        }
        room -= length;
        match escape {
            0 => out.extend_from_slice(encoded),
            1 => {
                let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(encoded[0] >> 4), digit(encoded[0] & 15)]);
            }
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
    }
    true
}

/// Appends an unsigned integer: a number below 2^53, a string of digits from there on.
pub(crate) fn write_unsigned(value: u64, out: &mut Vec<u8>) {
    if value < EXACT_LIMIT {
        write_decimal(value, out);
    } else {
        out.push(b'"');
        write_decimal(value, out);
        out.push(b'"');
    }
}

/// Appends a signed integer: a number below 2^53 in magnitude, a string from there on.
pub(crate) fn write_integer(value: i64, out: &mut Vec<u8>) {
    let magnitude = value.unsigned_abs();
    let quoted = magnitude >= EXACT_LIMIT;
    if quoted {
        out.push(b'"');
    }
    if value < 0 {
        out.push(b'-');
    }
    write_decimal(magnitude, out);
    if quoted {
        out.push(b'"');
    }
}

/// Appends a float in its shortest exact form, or as a string when it is not a JSON number.
pub(crate) fn write_float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() && value.abs() < EXACT_LIMIT as f64 {
        out.extend_from_slice(format!("{value}").as_bytes());
    } else {
        out.push(b'"');
        out.extend_from_slice(format!("{value:e}").as_bytes());
        out.push(b'"');
    }
}
