//! A strict scanner of JSON (RFC 8259) over the bytes of one line.

use super::parse::ParseError;

/// How deep arrays and objects may be nested, the line's own object included.
pub(crate) const DEPTH_LIMIT: usize = 32;

/// From this many members on, the names of an object are compared by sorting when it ends.
const COMPARED_AT_ONCE: usize = 48;

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);

/// A stretch of the line, quotes of a string not included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// A string with at least one backslash: its text is not its bytes.
    pub(crate) escaped: bool,
}

impl Span {
    /// The bytes of `line` that this stretch covers.
    pub(crate) fn of<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        line.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The names of the objects that are open, innermost last, and the values that have been passed.
/// Kept from line to line to save the allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<Span>, Vec<(Span, Shape)>);

impl Names {
    /// Forgets the line before, and notes the names in the frame of the next.
    pub(crate) fn start_line(&mut self, frame: [Span; 3]) {
        self.0.clear();
        self.1.clear();
        self.0.extend(frame);
    }

    /// The strings and numbers of the line, in order.
    pub(crate) fn values(&self) -> &[(Span, Shape)] {
        &self.1
    }
}

/// What a value turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Number,
    Literal,
    Object,
    Array,
}

/// A place in a line.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
    ascii: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner of `line` from the byte `at` on.
    pub(crate) const fn new(line: &'a [u8], at: usize) -> Self {
        Self { line, at, ascii: true }
    }

    /// Where the next byte is.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Whether every byte that was passed is ASCII.
    pub(crate) const fn is_ascii(&self) -> bool {
        self.ascii
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    const fn wrong(&self, expected: &'static str) -> ParseError {
        ParseError::Json { at: self.at, expected }
    }

    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), ParseError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        self.skip_space();
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.wrong(expected))
        }
    }

    /// The members of an object whose opening brace has been passed, up to and including its
    /// closing brace.
    fn object(&mut self, names: &mut Names, depth: usize) -> Result<(), ParseError> {
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let base = names.0.len();
        self.members(names, base, depth, |_, _, _| {})
    }

    /// The members that are left of an object, one at least, and its closing brace. The names it
    /// already has are those from `base` on. Calls `visit` with name and value of each.
    pub(crate) fn members(
        &mut self,
        names: &mut Names,
        base: usize,
        depth: usize,
        mut visit: impl FnMut(Span, Span, Shape),
    ) -> Result<(), ParseError> {
        let known = names.0.get(base..).unwrap_or_default();
        let mut seen = known.iter().fold(0, |seen, name| seen | self.mark(*name));
        loop {
            self.expect(b'"', "a member name in double quotes")?;
            let name = self.string()?;
            self.check_name(names, base, &mut seen, name)?;
            self.expect(b':', "a colon after the member name")?;
            let (value, shape) = self.value(names, depth)?;
            visit(name, value, shape);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => {
                    self.skip_space();
                    match self.peek() {
                        Some(b',') => self.at += 1,
                        Some(b'}') => break,
                        _ => return Err(self.wrong("a comma or a closing brace")),
                    }
                }
            }
            self.skip_space();
        }
        self.at += 1;
        self.check_many(names, base)?;
        names.0.truncate(base);
        Ok(())
    }

    /// One bit of 64 for a name; different bits mean different names.
    #[inline]
    fn mark(&self, name: Span) -> u64 {
        if name.escaped {
            // It can equal any other, so it is compared with all of them.
            return u64::MAX;
        }
        let bytes = name.of(self.line);
        let edge = |byte: Option<&u8>| u64::from(byte.copied().unwrap_or_default());
        let mixed = edge(bytes.first()).wrapping_mul(31) ^ edge(bytes.last()).wrapping_mul(7) ^ bytes.len() as u64;
        1 << (mixed & 63)
    }

    /// Notes the name of a member, and refuses it if the object has one of that name.
    #[inline]
    fn check_name(&self, names: &mut Names, base: usize, seen: &mut u64, name: Span) -> Result<(), ParseError> {
        let bit = self.mark(name);
        let count = names.0.len() - base;
        if *seen & bit != 0 && count < COMPARED_AT_ONCE {
            let known = names.0.get(base..).unwrap_or_default();
            if known.iter().any(|other| same(self.line, *other, name)) {
                return Err(ParseError::DuplicateMember { at: name.start as usize });
            }
        }
        *seen |= bit;
        names.0.push(name);
        Ok(())
    }

    /// For objects with many members: sorting finds a repeated name without comparing all pairs.
    fn check_many(&self, names: &Names, base: usize) -> Result<(), ParseError> {
        let names = names.0.get(base..).unwrap_or_default();
        if names.len() <= COMPARED_AT_ONCE {
            return Ok(());
        }
        let mut texts: Vec<_> = names.iter().map(|name| (unescape(name.of(self.line)), name.start)).collect();
        texts.sort_unstable();
        for pair in texts.windows(2) {
            if let [(one, _), (other, at)] = pair
                && one == other
            {
                return Err(ParseError::DuplicateMember { at: *at as usize });
            }
        }
        Ok(())
    }

    /// A value of any shape; its stretch has the quotes of a string left out.
    #[inline]
    pub(crate) fn value(&mut self, names: &mut Names, depth: usize) -> Result<(Span, Shape), ParseError> {
        if matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.skip_space();
        }
        let start = self.at;
        let shape = match self.peek() {
            Some(b'"') => {
                self.at += 1;
                let text = (self.string()?, Shape::Text);
                names.1.push(text);
                return Ok(text);
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                names.1.push((self.span(start, self.at, false), Shape::Number));
                Shape::Number
            }
            Some(b'{') => {
                self.nested(depth)?;
                self.object(names, depth + 1)?;
                Shape::Object
            }
            Some(b'[') => {
                self.nested(depth)?;
                self.array(names, depth + 1)?;
                Shape::Array
            }
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            _ => return Err(self.wrong("a value")),
        };
        Ok((self.span(start, self.at, false), shape))
    }

    fn nested(&mut self, depth: usize) -> Result<(), ParseError> {
        if depth + 1 > DEPTH_LIMIT {
            return Err(ParseError::TooDeep { at: self.at });
        }
        self.at += 1;
        Ok(())
    }

    fn array(&mut self, names: &mut Names, depth: usize) -> Result<(), ParseError> {
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(names, depth)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.wrong("a comma or a closing bracket")),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<Shape, ParseError> {
        if self.line.get(self.at..self.at + word.len()) == Some(word) {
            self.at += word.len();
            Ok(Shape::Literal)
        } else {
            Err(self.wrong("a value"))
        }
    }

    const fn span(&self, start: usize, end: usize, escaped: bool) -> Span {
        Span { start: start as u32, end: end as u32, escaped }
    }

    /// The rest of a string whose opening quote has been passed.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Span, ParseError> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.skip_plain();
            match self.peek() {
                Some(b'"') => {
                    let span = self.span(start, self.at, escaped);
                    self.at += 1;
                    return Ok(span);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0x80..) => {
                    self.ascii = false;
                    self.at += 1;
                }
                Some(0x20..) => self.at += 1,
                Some(_) => return Err(self.wrong("no control character in a string")),
                None => return Err(self.wrong("a closing quote")),
            }
        }
    }

    /// Passes printable ASCII other than quotes and backslashes, eight bytes at a time.
    #[inline]
    fn skip_plain(&mut self) {
        while let Some(word) = self.line.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*word);
            // The lowest byte that is set here is exact: a borrow only reaches bytes above a hit.
            let hits = ((word ^ QUOTES).wrapping_sub(ONES)
                | (word ^ BACKSLASHES).wrapping_sub(ONES)
                | word.wrapping_sub(SPACES)
                | word)
                & HIGH;
            if hits != 0 {
                self.at += (hits.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while matches!(self.peek(), Some(byte) if (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Result<(), ParseError> {
        match self.line.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => match self.unit(self.at)? {
                0xd800..=0xdbff => match self.unit(self.at + 6) {
                    Ok(0xdc00..=0xdfff) => {
                        self.at += 12;
                        Ok(())
                    }
                    _ => Err(self.wrong("both halves of a surrogate pair")),
                },
                0xdc00..=0xdfff => Err(self.wrong("both halves of a surrogate pair")),
                _ => {
                    self.at += 6;
                    Ok(())
                }
            },
            _ => Err(self.wrong("an escape that JSON knows")),
        }
    }

    /// The UTF-16 unit that the `\uXXXX` at `at` stands for.
    fn unit(&self, at: usize) -> Result<u16, ParseError> {
        let unit = self.line.get(at..at + 6).and_then(|escape| {
            let digits = escape.strip_prefix(b"\\u")?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        });
        unit.ok_or_else(|| self.wrong("four hexadecimal digits"))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    pub(crate) fn number(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 {
            return Err(self.wrong("a digit"));
        }
        if leading_zero && whole > 1 {
            self.at = start;
            return Err(self.wrong("a number without leading zeros"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.wrong("a digit after the decimal point"));
            }
        }
        let mut exponent = false;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            exponent = true;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.wrong("a digit in the exponent"));
            }
        }
        if whole > 15 || exponent {
            self.check_exact(start)?;
        }
        Ok(())
    }

    /// Numbers from 2^53 on are not exact for every reader (RFC 8259 §6).
    fn check_exact(&self, start: usize) -> Result<(), ParseError> {
        let text = self.line.get(start..self.at).unwrap_or_default();
        let value = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
        match value {
            Some(value) if value.abs() < super::json::EXACT_LIMIT as f64 => Ok(()),
            _ => Err(ParseError::NumberTooLarge { at: start }),
        }
    }
}

fn same(line: &[u8], one: Span, other: Span) -> bool {
    if one.escaped || other.escaped {
        unescape(one.of(line)) == unescape(other.of(line))
    } else {
        one.of(line) == other.of(line)
    }
}

/// The text of a string that the scanner has accepted, as UTF-8 bytes.
pub(crate) fn unescape(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return std::borrow::Cow::Borrowed(raw);
    }
    let unit = |digits: Option<&[u8]>| {
        let digits = std::str::from_utf8(digits.unwrap_or_default()).unwrap_or_default();
        u16::from_str_radix(digits, 16).unwrap_or(0xfffd)
    };
    let mut text = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        if *byte != b'\\' {
            text.push(*byte);
            at += 1;
            continue;
        }
        let plain = match raw.get(at + 1) {
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let high = unit(raw.get(at + 2..at + 6));
                let mut units = vec![high];
                at += 6;
                if (0xd800..0xdc00).contains(&high) {
                    units.push(unit(raw.get(at + 2..at + 6)));
                    at += 6;
                }
                text.extend_from_slice(String::from_utf16_lossy(&units).as_bytes());
                continue;
            }
            Some(other) => *other,
            None => break,
        };
        text.push(plain);
        at += 2;
    }
    std::borrow::Cow::Owned(text)
}
