/// The codings that a `Content-Encoding` header names, if any changes the bytes (RFC 9110 §8.4).
pub(super) fn applied_coding(header: Option<&[u8]>) -> Option<String> {
    let text = String::from_utf8_lossy(header?);
    let identity = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    let changes = text.split(',').map(str::trim).any(|coding| !identity(coding));
    changes.then(|| super::media_type::shortened(text.trim()))
}
