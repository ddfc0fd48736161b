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
pub(super) enum Segment {
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

    /// The segments before `**`, or all of them.
    pub(super) fn head(&self) -> &[Segment] {
        &self.head
    }

    /// The segments after `**`, if there is one.
    pub(super) fn tail(&self) -> Option<&[Segment]> {
        self.tail.as_deref()
    }

    /// Whether the pattern ends with `**`, so that a final `/` belongs to what it stands for.
    pub(super) fn ends_open(&self) -> bool {
        self.tail.as_ref().is_some_and(|tail| tail.is_empty())
    }

    /// Whether the pattern is `/`.
    pub(super) fn is_root(&self) -> bool {
        self.head.is_empty() && self.tail.is_none()
    }

    /// Whether every plainly spelled path that this pattern matches is matched by one of `others`.
    pub(super) fn is_covered_by(&self, others: &[&Self]) -> bool {
        // Beyond the length of any pattern, one segment more under `**` changes nothing.
        let longest = self.tail.as_ref().map_or(0, |_| SEGMENTS_LIMIT + 1);
        (0..=longest).all(|between| others.iter().any(|other| other.matches(self.example(between))))
    }

    /// Whether the pattern matches exactly these segments.
    fn matches<'a>(&self, mut segments: impl DoubleEndedIterator<Item = &'a [u8]>) -> bool {
        let matches = |segment: &Segment, found: Option<&[u8]>| match (segment, found) {
            (_, None) => false,
            (Segment::Any, Some(_)) => true,
            (Segment::Literal(literal), Some(found)) => **literal == *found,
        };
        (self.head.iter()).all(|segment| matches(segment, segments.next()))
            && match &self.tail {
                None => segments.next().is_none(),
                Some(tail) => (tail.iter().rev()).all(|segment| matches(segment, segments.next_back())),
            }
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
}
