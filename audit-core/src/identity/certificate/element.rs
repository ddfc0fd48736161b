//! The grammar of `x-forwarded-client-cert` (Envoy, "HTTP header manipulation").

/// Why the header is not believed.
pub(super) const MALFORMED: &str = "malformed x-forwarded-client-cert";

/// What one proxy says of the certificate that it was shown.
#[derive(Debug, Default)]
pub(super) struct Element<'a> {
    /// The SHA-256 of the certificate, in hexadecimal.
    pub(super) hash: Option<&'a str>,
    /// The subject (RFC 2253), which brings its own escapes.
    pub(super) subject: Option<&'a str>,
    /// Every URI name that is not empty.
    pub(super) uris: Vec<&'a str>,
    /// The first DNS name.
    pub(super) dns: Option<&'a str>,
}

/// The last element: that of the proxy next to us. It is found from the right, so that whatever
/// stands in the elements before it, quotes that never close included, cannot change it.
pub(super) fn last_element(line: &[u8]) -> &[u8] {
    let mut is_quoted = false;
    for (position, byte) in line.iter().enumerate().rev() {
        match byte {
            b'"' if !is_escaped(line, position) => is_quoted = !is_quoted,
            b',' if !is_quoted => return line.get(position + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    line
}

/// Whether an odd number of backslashes stands in front of `position`.
fn is_escaped(line: &[u8], position: usize) -> bool {
    let before = line.get(..position).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

impl<'a> Element<'a> {
    pub(super) fn parse(element: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(element.trim_ascii()).ok()?;
        let mut parsed = Self::default();
        let mut rest = Some(text);
        while let Some(pairs) = rest {
            let (pair, following) = next_pair(pairs);
            parsed.add(pair)?;
            rest = following;
        }
        Some(parsed)
    }

    /// Takes one `key=value`; keys in any case, unknown ones without effect.
    fn add(&mut self, pair: &'a str) -> Option<()> {
        let (key, value) = pair.split_once('=')?;
        let value = unquoted(value)?;
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        if is("Hash") {
            let is_hash = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
            return (is_hash && self.hash.replace(value).is_none()).then_some(());
        }
        if is("Subject") {
            return self.subject.replace(value).is_none().then_some(());
        }
        // Envoy writes an empty URI for a certificate without one.
        if is("URI") && !value.is_empty() {
            self.uris.push(value);
        }
        if is("DNS") && !value.is_empty() {
            self.dns = self.dns.or(Some(value));
        }
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_key.then_some(())
    }
}

/// The first pair, and what follows the semicolon after it.
fn next_pair(pairs: &str) -> (&str, Option<&str>) {
    let mut is_quoted = false;
    for (position, byte) in pairs.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped(pairs.as_bytes(), position) => is_quoted = !is_quoted,
            b';' if !is_quoted => {
                let (pair, rest) = pairs.split_at(position);
                return (pair, rest.get(1..));
            }
            _ => {}
        }
    }
    (pairs, None)
}

/// A value without the quotes around it. Quotes stand at both ends or nowhere.
fn unquoted(value: &str) -> Option<&str> {
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    let has_quote =
        inner.bytes().enumerate().any(|(position, byte)| byte == b'"' && !is_escaped(inner.as_bytes(), position));
    let is_cut = value.len() != inner.len() && is_escaped(value.as_bytes(), value.len() - 1);
    (!has_quote && !is_cut).then_some(inner)
}
