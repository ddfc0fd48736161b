/// Why the text of a body is not in the record. Its digest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Withheld {
    /// Bodies of this media type, or without one, are kept by digest only.
    ContentType,
    /// The text is in another charset than UTF-8.
    Charset,
    /// The body is compressed: a `Content-Encoding` other than `identity`.
    Encoding,
    /// What stands there is not what the media type says, so that nobody can tell its secrets.
    Malformed,
    /// A member name stands twice in one JSON object: readers differ on which one counts.
    DuplicateName,
    /// JSON nested deeper than 64 levels.
    Depth,
    /// The memory that all prefixes share was used up.
    Memory,
}

impl Withheld {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::ContentType,
        Self::Charset,
        Self::Encoding,
        Self::Malformed,
        Self::DuplicateName,
        Self::Depth,
        Self::Memory,
    ];

    /// The word that stands in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentType => "content_type",
            Self::Charset => "charset",
            Self::Encoding => "encoding",
            Self::Malformed => "malformed",
            Self::DuplicateName => "duplicate_name",
            Self::Depth => "depth",
            Self::Memory => "memory",
        }
    }
}
