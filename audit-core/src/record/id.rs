use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// The identifier that joins an intent and its outcome: a UUID version 7 (RFC 9562 §5.7).
///
/// Order in the log is `seq`; the identifier only joins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActivityId(uuid::Uuid);

/// Where the pairs of digits stand in the hyphenated form.
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// What each lower-case hexadecimal digit stands for, 255 for everything else.
const NIBBLES: [u8; 256] = {
    let mut table = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

impl ActivityId {
    /// A new identifier for something that happens at `time`.
    #[must_use]
    pub fn new(time: SystemTime) -> Self {
        let millis = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&fastrand::u64(..).to_le_bytes());
        random[8..].copy_from_slice(&fastrand::u16(..).to_le_bytes());
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// An identifier from its 36 characters; `None` unless they are lower case.
    #[inline]
    pub(crate) fn from_lower_hex(text: &[u8]) -> Option<Self> {
        let text: &[u8; 36] = text.try_into().ok()?;
        let mut bytes = [0; 16];
        let mut wrong = 0;
        for (byte, at) in bytes.iter_mut().zip(PAIRS) {
            let (high, low) = (NIBBLES[usize::from(text[at])], NIBBLES[usize::from(text[at + 1])]);
            wrong |= high | low;
            *byte = high << 4 | low & 15;
        }
        let hyphens = [8, 13, 18, 23].iter().all(|at| text[*at] == b'-');
        (wrong < 16 && hyphens).then(|| Self(uuid::Uuid::from_bytes(bytes)))
    }

    /// The sixteen bytes, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Writes the 36 characters of the hyphenated form.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut text = uuid::Uuid::encode_buffer();
        out.extend_from_slice(self.0.hyphenated().encode_lower(&mut text).as_bytes());
    }
}

impl fmt::Display for ActivityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for ActivityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActivityId({self})")
    }
}

/// The text is not a UUID in its 36-character form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseActivityIdError;

impl fmt::Display for ParseActivityIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an activity id is a UUID of 36 characters in lower case")
    }
}

impl std::error::Error for ParseActivityIdError {}

impl FromStr for ActivityId {
    type Err = ParseActivityIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 36 {
            return Err(ParseActivityIdError);
        }
        uuid::Uuid::try_parse(text).map(Self).map_err(|_| ParseActivityIdError)
    }
}
