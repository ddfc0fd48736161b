/// How long a record and its parts may grow, in bytes of encoded JSON.
///
/// What exceeds a limit is cut, and the record says so in the member `truncated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordLimits {
    /// A whole line without its line feed: at most 65,535, the entry limit of C2SP tlog-tiles.
    pub line: usize,
    /// `action` and every name of an actor: 1,024.
    pub name: usize,
    /// `resource`: 8,192.
    pub resource: usize,
    /// The value of one header or query parameter, host and user agent: 1,024.
    pub header: usize,
    /// The value of one attribute: 4,096.
    pub attribute: usize,
    /// How many attributes, and how many headers or parameters, a record may carry: 64.
    pub attributes: usize,
    /// The text of an error: 1,024.
    pub error: usize,
}

impl Default for RecordLimits {
    fn default() -> Self {
        Self {
            line: 65_535,
            name: 1_024,
            resource: 8_192,
            header: 1_024,
            attribute: 4_096,
            attributes: 64,
            error: 1_024,
        }
    }
}
