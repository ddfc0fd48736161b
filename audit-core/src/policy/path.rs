use std::cmp::Ordering;

/// The path of a request, as far as it can be read in only one way.
///
/// Servers, routers and middleware differ in what they decode, merge and resolve before they
/// choose a handler. A *plain* path reads the same to all of them. In any other path the segments
/// up to the first doubtful one are certain, and whatever follows is not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    /// Without the first `/` and without one last `/`.
    body: &'a [u8],
    final_slash: bool,
    plain: bool,
    certain: Option<usize>,
}

impl<'a> Path<'a> {
    /// Reads a raw path. `None` for what is not a path: the `*` of `OPTIONS *`, and the empty
    /// path.
    pub(super) fn read(raw: &'a str) -> Option<Self> {
        let bytes = raw.as_bytes();
        if matches!(bytes, [] | [b'*']) {
            return None;
        }
        let Some(body) = bytes.strip_prefix(b"/") else {
            return Some(Self { body: bytes, final_slash: false, plain: false, certain: Some(0) });
        };
        if is_plain(bytes) {
            let trimmed = body.strip_suffix(b"/");
            return Some(Self {
                body: trimmed.unwrap_or(body),
                final_slash: trimmed.is_some(),
                plain: true,
                certain: None,
            });
        }
        let trimmed = body.strip_suffix(b"/");
        let body = trimmed.filter(|trimmed| !matches!(trimmed, [] | [.., b'/'])).unwrap_or(body);
        Some(Self { body, final_slash: false, plain: false, certain: certain_segments(body) })
    }

    /// Whether the path reads the same to everybody: no `%`, `//`, `.` or `..` segment, backslash,
    /// `?` or `#`.
    pub(super) const fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether a plain path ends with `/`. Never so for `/` itself.
    pub(super) const fn has_final_slash(&self) -> bool {
        self.final_slash
    }

    /// How many segments are certain; `None` when all are.
    pub(super) const fn certain(&self) -> Option<usize> {
        self.certain
    }

    pub(super) const fn segments(&self) -> Segments<'a> {
        Segments::of(self.body)
    }
}

/// What remains of the segments of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segments<'a>(Option<&'a [u8]>);

impl<'a> Segments<'a> {
    /// The segments of `body`; none when it is empty.
    const fn of(body: &'a [u8]) -> Self {
        Self(if body.is_empty() { None } else { Some(body) })
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0?;
        let slash = rest.iter().position(|byte| *byte == b'/');
        let (segment, after) = rest.split_at_checked(slash.unwrap_or(rest.len()))?;
        self.0 = after.get(1..);
        Some(segment)
    }
}

impl DoubleEndedIterator for Segments<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let rest = self.0?;
        let slash = rest.iter().rposition(|byte| *byte == b'/');
        let segment = rest.get(slash.map_or(0, |slash| slash + 1)..)?;
        self.0 = slash.and_then(|slash| rest.get(..slash));
        Some(segment)
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    let mut previous = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        let odd = match byte {
            b'%' | b'\\' | b'?' | b'#' => true,
            b'/' => previous == b'/',
            b'.' if previous == b'/' => {
                let rest = bytes.get(index + 1..).unwrap_or_default();
                matches!(rest, [] | [b'/', ..] | [b'.'] | [b'.', b'/', ..])
            }
            _ => false,
        };
        if odd {
            return false;
        }
        previous = byte;
    }
    true
}

/// How one segment of an odd path may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// As one segment, raw or decoded.
    None,
    /// As nothing, or as several segments.
    Shape,
    /// As a step up, which takes earlier segments with it, or in ways not foreseen.
    Everything,
}

/// How many segments at the start of `body` are certain; `None` when all are.
fn certain_segments(body: &[u8]) -> Option<usize> {
    let mut certain = None;
    for (index, segment) in Segments::of(body).enumerate() {
        match doubt(segment) {
            Doubt::None => {}
            Doubt::Shape => certain = certain.or(Some(index)),
            Doubt::Everything => return Some(0),
        }
    }
    certain
}

fn doubt(segment: &[u8]) -> Doubt {
    if matches!(segment, b"" | b".") {
        return Doubt::Shape;
    }
    let mut doubt = Doubt::None;
    let (mut dots, mut others) = (0_usize, 0_usize);
    for byte in decoded(segment) {
        match byte {
            // A `%` that is left after decoding may be decoded again by whoever comes next.
            None | Some(b'%') => return Doubt::Everything,
            // Separators, and what ends a path for some readers.
            Some(b'/' | b'\\' | b'?' | b'#' | 0..=0x1f | 0x7f) => doubt = Doubt::Shape,
            Some(b'.') => dots += 1,
            Some(_) => others += 1,
        }
    }
    match doubt {
        Doubt::None if others == 0 && dots == 1 => Doubt::Shape,
        Doubt::None if others == 0 && dots == 2 => Doubt::Everything,
        Doubt::Shape if dots >= 2 => Doubt::Everything,
        doubt => doubt,
    }
}

/// The bytes of a segment, percent-decoded once (RFC 3986 §2.1); `None` for a malformed escape.
fn decoded(segment: &[u8]) -> impl Iterator<Item = Option<u8>> {
    let mut rest = segment;
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        rest = after;
        if first != b'%' {
            return Some(Some(first));
        }
        let value = match after {
            [high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        if value.is_some() {
            rest = after.get(2..).unwrap_or_default();
        }
        Some(value)
    })
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Compares the bytes of `segment`, once decoded, with those of `literal`. A malformed escape comes
/// before everything.
pub(super) fn decoded_cmp(segment: &[u8], literal: &[u8]) -> Ordering {
    decoded(segment).cmp(literal.iter().copied().map(Some))
}
