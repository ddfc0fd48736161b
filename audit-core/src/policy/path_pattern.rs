use super::fit::Fit;
use super::path::{Path, decoded_equals};

/// The longest pattern, in bytes.
const BYTES_LIMIT: usize = 1_024;

/// The most segments of one pattern, `**` not counted.
pub(super) const SEGMENTS_LIMIT: usize = 32;

/// A path in which `*` stands for one segment and one `**` for any number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern {
    /// The segments before `**`, or all of them.
    head: Box<[Segment]>,
    /// The segments after `**`, if there is one.
    tail: Option<Box<[Segment]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `*`: any segment that is not empty.
    Any,
    Literal(Box<[u8]>),
}

impl PathPattern {
    /// Reads `text`. The error says what to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(body) = text.strip_prefix('/') else {
            return Err("a path starts with `/`");
        };
        if text.len() > BYTES_LIMIT {
            return Err("it is longer than 1,024 bytes: shorten it with `**`");
        }
        if body.is_empty() {
            return Ok(Self { head: Box::default(), tail: None });
        }
        if body.ends_with('/') {
            return Err("it ends with `/`: leave that out, a final `/` makes no difference");
        }
        let mut head = Vec::new();
        let mut tail: Option<Vec<Segment>> = None;
        for word in body.split('/') {
            match (word, &mut tail) {
                ("**", None) => tail = Some(Vec::new()),
                ("**", Some(_)) => return Err("`**` may stand once: write two patterns"),
                (_, Some(tail)) => tail.push(Segment::parse(word)?),
                (_, None) => head.push(Segment::parse(word)?),
            }
        }
        if head.len() + tail.as_ref().map_or(0, Vec::len) > SEGMENTS_LIMIT {
            return Err("it has more than 32 segments: shorten it with `**`");
        }
        Ok(Self { head: head.into(), tail: tail.map(Into::into) })
    }

    /// Splits off the literal segments at the start, joined by `/`; the pattern keeps the rest.
    pub(super) fn split_literal_start(&self) -> (Vec<u8>, usize, Self) {
        let mut start = Vec::new();
        let mut depth = 0;
        for segment in &self.head {
            let Segment::Literal(literal) = segment else {
                break;
            };
            if depth > 0 {
                start.push(b'/');
            }
            start.extend_from_slice(literal);
            depth += 1;
        }
        let rest = Self { head: self.head.iter().skip(depth).cloned().collect(), tail: self.tail.clone() };
        (start, depth, rest)
    }

    /// Whether the pattern ends with `**`, so that a final `/` belongs to what it stands for.
    pub(super) fn ends_open(&self) -> bool {
        self.tail.as_ref().is_some_and(|tail| tail.is_empty())
    }

    /// Whether the pattern is `/`.
    pub(super) fn is_root(&self) -> bool {
        self.head.is_empty() && self.tail.is_none()
    }

    /// Whether the pattern matches `path`, however that is read.
    pub(super) fn fit(&self, path: &Path<'_>) -> Fit {
        match path.certain() {
            None => self.fit_segments(path.segments()),
            Some(certain) => self.fit_start(certain, path.segments()),
        }
    }

    /// Whether the pattern matches exactly these segments.
    pub(super) fn fit_segments<'a>(&self, mut segments: impl DoubleEndedIterator<Item = &'a [u8]>) -> Fit {
        let mut fit = Fit::Yes;
        for segment in &self.head {
            fit = fit.min(segments.next().map_or(Fit::No, |found| segment.fit(found)));
            if fit == Fit::No {
                return Fit::No;
            }
        }
        let Some(tail) = &self.tail else {
            return match segments.next() {
                None => fit,
                Some(_) => Fit::No,
            };
        };
        for segment in tail.iter().rev() {
            let found = segments.next_back();
            fit = fit.min(found.map_or(Fit::No, |found| segment.fit(found)));
            if fit == Fit::No {
                return Fit::No;
            }
        }
        fit
    }

    /// Whether the pattern matches a path of which only the first `certain` segments are known.
    fn fit_start<'a>(&self, certain: usize, mut segments: impl Iterator<Item = &'a [u8]>) -> Fit {
        let mut fit = Fit::Yes;
        for segment in self.head.iter().take(certain) {
            fit = fit.min(segments.next().map_or(Fit::No, |found| segment.fit(found)));
            if fit == Fit::No {
                return Fit::No;
            }
        }
        let longer_than_known = self.head.len() > certain;
        match &self.tail {
            Some(tail) if tail.is_empty() && !longer_than_known => fit,
            // What follows the known segments may vanish, but they do not.
            None if self.head.len() < certain => Fit::No,
            _ => Fit::Maybe,
        }
    }

    /// Whether every plainly spelled path that this pattern matches is matched by one of `others`.
    pub(super) fn is_covered_by<'a>(&self, others: impl Iterator<Item = &'a Self> + Clone) -> bool {
        // Beyond the length of any pattern, one segment more under `**` changes nothing.
        let longest = self.tail.as_ref().map_or(0, |_| SEGMENTS_LIMIT + 1);
        (0..=longest).all(|between| {
            let mut others = others.clone();
            others.any(|other| other.fit_segments(self.example(between)) == Fit::Yes)
        })
    }

    /// A path that the pattern matches, with `between` segments for its `**`. What stands for `*`
    /// and `**` equals no literal, so whatever covers this path covers all others of its length.
    fn example(&self, between: usize) -> impl DoubleEndedIterator<Item = &[u8]> {
        const UNHEARD_OF: &[u8] = b"/";
        let tail = self.tail.as_deref().unwrap_or_default();
        (self.head.iter().map(Segment::literal))
            .chain(std::iter::repeat_n(None, between))
            .chain(tail.iter().map(Segment::literal))
            .map(|literal| literal.unwrap_or(UNHEARD_OF))
    }
}

impl Segment {
    fn parse(word: &str) -> Result<Self, &'static str> {
        if word == "*" {
            return Ok(Self::Any);
        }
        if word.is_empty() {
            return Err("it contains `//`: write one `/`, all spellings of a path are matched");
        }
        if word == "." || word == ".." {
            return Err("it contains a `.` or `..` segment: write the path it leads to");
        }
        for character in word.chars() {
            match character {
                '*' => return Err("`*` stands for a whole segment: write `*` alone, or `**`"),
                '%' => {
                    return Err("it contains `%`: write the character itself, all spellings of a path are matched");
                }
                '{' | '}' => {
                    return Err("it is a route template: paths are matched as sent, write `*` for a parameter");
                }
                '?' | '#' => {
                    return Err("it contains `?` or `#`: only paths are matched, not queries");
                }
                '\\' => return Err("it contains a backslash: write `/`"),
                _ if character.is_control() => {
                    return Err("it contains a control character, which no path has: remove it");
                }
                _ => {}
            }
        }
        Ok(Self::Literal(word.as_bytes().into()))
    }

    fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Any => None,
            Self::Literal(literal) => Some(literal),
        }
    }

    /// Whether the segment matches `found`, raw and decoded.
    fn fit(&self, found: &[u8]) -> Fit {
        match self {
            Self::Any => Fit::from(!found.is_empty()),
            Self::Literal(literal) if **literal == *found => Fit::Yes,
            Self::Literal(literal) if decoded_equals(found, literal) => Fit::Maybe,
            Self::Literal(_) => Fit::No,
        }
    }
}
