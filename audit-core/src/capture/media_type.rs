use super::Withheld;
use crate::redaction::TextForm;

/// How many bytes of a header are kept: more than a record has room for, so that it says it was cut.
const HEADER_LIMIT: usize = 192;

/// What a header says, cut between two characters.
pub(super) fn shortened(header: &str) -> String {
    let mut end = header.len().min(HEADER_LIMIT);
    while !header.is_char_boundary(end) {
        end -= 1;
    }
    header.get(..end).unwrap_or_default().to_owned()
}

/// How to read a body with this `Content-Type` (RFC 9110 §8.3), if that is known.
pub(super) fn text_form(header: Option<&[u8]>, plain_text: bool) -> Result<TextForm, Withheld> {
    let header = std::str::from_utf8(header.unwrap_or_default()).map_err(|_| Withheld::ContentType)?;
    let mut parts = header.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let form = match essence.as_str() {
        "application/json" | "text/json" => TextForm::Json,
        "application/x-www-form-urlencoded" => TextForm::Form,
        "text/plain" if plain_text => TextForm::Plain,
        other if is_json_suffix(other) => TextForm::Json,
        _ => return Err(Withheld::ContentType),
    };
    if parts.all(is_harmless_parameter) { Ok(form) } else { Err(Withheld::Charset) }
}

/// Whether a type such as `application/problem+json` is JSON (RFC 6839 §3.1).
fn is_json_suffix(essence: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte);
    essence.ends_with("+json") && essence.bytes().all(token) && essence.matches('/').count() == 1
}

/// Whether a parameter leaves the text in UTF-8, or in its subset ASCII.
fn is_harmless_parameter(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    if !name.trim().eq_ignore_ascii_case("charset") {
        return true;
    }
    let value = value.trim().trim_matches('"');
    ["utf-8", "utf8", "us-ascii"].iter().any(|known| value.eq_ignore_ascii_case(known))
}
