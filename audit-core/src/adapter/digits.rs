/// The length that a `Content-Length` header announces (RFC 9110 §8.6); `None` when it is no number
/// of bytes.
#[must_use]
pub fn content_length(value: &[u8]) -> Option<u64> {
    number(value)
}

/// A decimal number without a sign.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
