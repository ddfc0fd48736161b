//! Reading one line back: its frame, and what a verifier needs of its members.
//!
//! Strict, because two readers that disagree about a line can be shown different things: the frame
//! is byte for byte `{"v":1,"seq":N,"prev":"…",`, the rest is JSON (RFC 8259) without repeated
//! members, half surrogate pairs or numbers from 2^53 on, and all of it is UTF-8.

use std::fmt;

use super::line::LINE_LIMIT;
use super::outline::Outlines;
use super::scan::{Names, Scanner, Shape, Span};
use super::time_reader::TimeReader;
use super::{ActivityId, Kind};
use crate::evidence::Hash;

/// Why a line is not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// Longer than [`LINE_LIMIT`].
    TooLong {
        /// The length that was found, without the line feed.
        bytes: usize,
    },
    /// It starts with a byte-order mark.
    ByteOrderMark,
    /// It does not start with `{"v":1,"seq":N,"prev":"<64 hexadecimal digits>",`.
    Frame {
        /// The byte at which it departs from that.
        at: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// It follows a version of the format that this program does not know: not wrong, but not
    /// verifiable here.
    UnknownVersion {
        /// The version that the line names.
        version: u64,
    },
    /// Not JSON.
    Json {
        /// The byte at which it stops being JSON.
        at: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// Two members of one object have the same name.
    DuplicateMember {
        /// Where the second name starts.
        at: usize,
    },
    /// Arrays and objects are nested more than 32 deep.
    TooDeep {
        /// Where the first that is too deep starts.
        at: usize,
    },
    /// A number is 2^53 or more in magnitude.
    NumberTooLarge {
        /// Where it starts.
        at: usize,
    },
    /// Not UTF-8.
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
    /// A member that every record has is absent, or is not what it has to be.
    Member {
        /// Which one.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

impl ParseError {
    /// Whether the line may be right, only not for this version of the program.
    #[must_use]
    pub const fn is_unknown_version(&self) -> bool {
        matches!(self, Self::UnknownVersion { .. })
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "the line has {bytes} bytes, more than {LINE_LIMIT}")
            }
            Self::ByteOrderMark => f.write_str("the line starts with a byte-order mark"),
            Self::Frame { at, expected } => {
                write!(f, "the frame breaks at byte {at}: expected {expected}")
            }
            Self::UnknownVersion { version } => {
                write!(f, "the line has format version {version}, only 1 is known here")
            }
            Self::Json { at, expected } => {
                write!(f, "not JSON at byte {at}: expected {expected}")
            }
            Self::DuplicateMember { at } => {
                write!(f, "the member name at byte {at} occurs twice in its object")
            }
            Self::TooDeep { at } => write!(f, "nested more than 32 deep at byte {at}"),
            Self::NumberTooLarge { at } => {
                write!(f, "the number at byte {at} is 2^53 or more")
            }
            Self::NotUtf8 { at } => write!(f, "not UTF-8 at byte {at}"),
            Self::Member { name, expected } => {
                write!(f, "the member \"{name}\" has to be {expected}")
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// The members that every line starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The position of the line in the log.
    pub seq: u64,
    /// The leaf hash of the line before.
    pub prev: Hash,
    /// How many bytes the frame takes, its last comma included.
    pub length: usize,
}

impl Frame {
    /// Reads the frame of `line` and nothing behind it. Does not allocate.
    ///
    /// # Errors
    ///
    /// [`ParseError::Frame`], [`ParseError::ByteOrderMark`] or [`ParseError::UnknownVersion`].
    pub fn parse(line: &[u8]) -> Result<Self, ParseError> {
        let (seq, digest) = split_frame(line)?;
        let prev = line
            .get(digest..digest + 64)
            .and_then(|digits| Hash::from_hex(digits).ok())
            .ok_or(ParseError::Frame { at: digest, expected: "64 lower-case hexadecimal digits" })?;
        Ok(Self { seq, prev, length: digest + 66 })
    }
}

/// Where the first member of a line starts, behind the opening brace.
pub(crate) const BODY_START: usize = 1;

const VERSION: &[u8] = b"{\"v\":1,\"seq\":";
const PREV: &[u8] = b",\"prev\":\"";

/// The `seq` of a line, and where the 64 digits of `prev` start. Checks all of the frame but
/// those digits.
#[inline]
pub(crate) fn split_frame(line: &[u8]) -> Result<(u64, usize), ParseError> {
    let Some(rest) = line.strip_prefix(VERSION) else {
        return Err(unknown_start(line));
    };
    let mut digits = 0;
    let mut seq = 0_u64;
    while let Some(digit @ b'0'..=b'9') = rest.get(digits) {
        if digits == 16 {
            break;
        }
        seq = seq * 10 + u64::from(digit - b'0');
        digits += 1;
    }
    let leading_zero = digits > 1 && rest.first() == Some(&b'0');
    if digits == 0 || leading_zero || seq >= super::json::EXACT_LIMIT {
        return Err(ParseError::Frame {
            at: VERSION.len(),
            expected: "a decimal number without leading zeros, below 2^53",
        });
    }
    let at = VERSION.len() + digits;
    if line.get(at..at + PREV.len()) != Some(PREV) {
        return Err(ParseError::Frame { at, expected: ",\"prev\":\"" });
    }
    let digest = at + PREV.len();
    if line.get(digest + 64..digest + 66) != Some(b"\",") {
        return Err(ParseError::Frame {
            at: digest,
            expected: "64 lower-case hexadecimal digits, a quote and a comma",
        });
    }
    Ok((seq, digest))
}

#[cold]
fn unknown_start(line: &[u8]) -> ParseError {
    if line.starts_with(b"\xef\xbb\xbf") {
        return ParseError::ByteOrderMark;
    }
    let wrong = ParseError::Frame { at: 0, expected: "{\"v\":1,\"seq\":" };
    let Some(rest) = line.strip_prefix(b"{\"v\":") else {
        return wrong;
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let version = rest
        .get(..digits)
        .filter(|digits| digits.first() != Some(&b'0'))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok());
    match (version, rest.get(digits)) {
        (Some(version), Some(b',' | b'}')) if version != 1 => ParseError::UnknownVersion { version },
        _ => wrong,
    }
}

/// A line that is a record, and where its members stand. Borrows the line.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    line: &'a [u8],
    seq: u64,
    prev: Hash,
    body: BodyFacts,
}

/// What is known of the members behind the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyFacts {
    /// Microseconds since 1970.
    pub(crate) time: i64,
    /// `None` for a kind that this version does not know.
    pub(crate) kind: Option<Kind>,
    /// Where the word stands; empty for a line that was compared with an outline.
    pub(crate) kind_word: Span,
    pub(crate) id: Option<ActivityId>,
    /// Where the identifier stands.
    pub(crate) id_span: Option<Span>,
}

impl<'a> Record<'a> {
    /// Reads `line`, the stored bytes without the line feed.
    ///
    /// # Errors
    ///
    /// When the line breaks the record format; see [`ParseError`].
    pub fn parse(line: &'a [u8]) -> Result<Self, ParseError> {
        let frame = Frame::parse(line)?;
        let body = LineParser::default().body(line, frame.length)?;
        Ok(Self { line, seq: frame.seq, prev: frame.prev, body })
    }

    /// The stored bytes, without the line feed.
    #[must_use]
    pub const fn line(&self) -> &'a [u8] {
        self.line
    }

    /// The position in the log.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The leaf hash of the line before.
    #[must_use]
    pub const fn prev(&self) -> &Hash {
        &self.prev
    }

    /// When it happened, in microseconds since 1970.
    #[must_use]
    pub const fn time_micros(&self) -> i64 {
        self.body.time
    }

    /// What the record is about; `None` for a kind that this version does not know.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.body.kind
    }

    /// The word in the member `kind`, known or not.
    #[must_use]
    pub fn kind_word(&self) -> &'a str {
        std::str::from_utf8(self.body.kind_word.of(self.line)).unwrap_or_default()
    }

    /// The identifier that joins an intent and its outcome.
    #[must_use]
    pub const fn id(&self) -> Option<ActivityId> {
        self.body.id
    }
}

/// Reads lines one after another, keeping its buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineParser {
    names: Names,
    clock: TimeReader,
    /// Only where many lines are read.
    outlines: Option<Outlines>,
}

impl LineParser {
    /// A parser for many lines.
    pub(crate) fn for_many() -> Self {
        Self { outlines: Some(Outlines::default()), ..Self::default() }
    }

    /// Checks all of `line` behind its frame, which ends at `at`.
    pub(crate) fn body(&mut self, line: &[u8], at: usize) -> Result<BodyFacts, ParseError> {
        if line.len() > LINE_LIMIT {
            return Err(ParseError::TooLong { bytes: line.len() });
        }
        if let Some(outlines) = &mut self.outlines
            && let Some(facts) = outlines.read(line, at, &mut self.clock)
        {
            return Ok(facts);
        }
        self.whole_body(line, at)
    }

    /// Checks a line that has no known outline, and takes its outline for the next.
    #[inline(never)]
    fn whole_body(&mut self, line: &[u8], at: usize) -> Result<BodyFacts, ParseError> {
        let mut scanner = Scanner::new(line, at);
        let found = self.members(line, &mut scanner)?;
        scanner.skip_space();
        if scanner.at() != line.len() {
            return Err(ParseError::Json { at: scanner.at(), expected: "nothing after the closing brace" });
        }
        if !scanner.is_ascii()
            && let Err(error) = std::str::from_utf8(line)
        {
            return Err(ParseError::NotUtf8 { at: error.valid_up_to() });
        }
        let facts = self.facts(line, &found)?;
        if let (Some(outlines), Some((time, _))) = (&mut self.outlines, found.time) {
            outlines.learn(line, at, self.names.values(), &facts, time);
        }
        Ok(facts)
    }

    fn members(&mut self, line: &[u8], scanner: &mut Scanner<'_>) -> Result<Found, ParseError> {
        let mut found = Found::default();
        self.names.start_line(frame_names(scanner.at()));
        scanner.members(&mut self.names, 0, 1, |name, value, shape| {
            let place = match name.of(line) {
                b"id" => &mut found.id,
                b"time" => &mut found.time,
                b"kind" => &mut found.kind,
                _ => return,
            };
            *place = Some((value, shape));
        })?;
        Ok(found)
    }

    fn facts(&mut self, line: &[u8], found: &Found) -> Result<BodyFacts, ParseError> {
        let text = |place: Option<(Span, Shape)>| match place {
            Some((span, Shape::Text)) if !span.escaped => Some(span),
            _ => None,
        };
        let time = text(found.time)
            .and_then(|span| self.clock.read(span.of(line)))
            .ok_or(ParseError::Member { name: "time", expected: "a time such as 2026-11-23T11:40:06.757467Z" })?;
        let kind_word = text(found.kind).ok_or(ParseError::Member { name: "kind", expected: "a word" })?;
        let id_span = text(found.id);
        let id = id_span.and_then(|span| ActivityId::from_lower_hex(span.of(line)));
        if found.id.is_some() && id.is_none() {
            return Err(ParseError::Member { name: "id", expected: "a UUID of 36 characters in lower case" });
        }
        let kind = kind_of(kind_word.of(line));
        if matches!(kind, Some(Kind::Intent | Kind::Outcome)) && id.is_none() {
            return Err(ParseError::Member { name: "id", expected: "present in an intent and in an outcome" });
        }
        Ok(BodyFacts { time, kind, kind_word, id, id_span })
    }
}

/// Where the names `v`, `seq` and `prev` stand in a frame of `length` bytes.
fn frame_names(length: usize) -> [Span; 3] {
    let name = |start: usize, bytes: usize| Span { start: start as u32, end: (start + bytes) as u32, escaped: false };
    [name(2, 1), name(8, 3), name(length.saturating_sub(73), 4)]
}

#[inline]
fn kind_of(word: &[u8]) -> Option<Kind> {
    match word {
        b"intent" => Some(Kind::Intent),
        b"outcome" => Some(Kind::Outcome),
        _ => Kind::from_word(std::str::from_utf8(word).ok()?),
    }
}

#[derive(Debug, Default)]
struct Found {
    time: Option<(Span, Shape)>,
    kind: Option<(Span, Shape)>,
    id: Option<(Span, Shape)>,
}
