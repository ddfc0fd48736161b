use std::fmt;

use crate::UrlError;

/// The most segments in the name of a log.
const SEGMENTS: usize = 8;

/// The most bytes in the name of a log.
const BYTES: usize = 128;

/// The name of a log within its stream, or of the fleet that it belongs to: segments that are safe
/// as tokens of a subject, written with `/` between them in URLs and with `.` in subjects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogName(Vec<String>);

impl LogName {
    /// Takes the segments of a URL's path; none is the name of the fleet of the whole stream.
    pub(crate) fn from_segments(segments: &[&str]) -> Result<Self, UrlError> {
        let bytes: usize = segments.iter().map(|segment| segment.len() + 1).sum();
        if segments.len() > SEGMENTS || bytes > BYTES {
            return Err(UrlError::malformed(format!(
                "the name of a log has at most {SEGMENTS} segments and {BYTES} bytes"
            )));
        }
        match segments.iter().position(|segment| !is_token(segment)) {
            // Not repeated: of a password with a slash in it, the rest would be here.
            Some(at) => Err(UrlError::malformed(format!(
                "segment {} of the log's name cannot be one: use ASCII letters, digits, `-` and `_`",
                at + 1
            ))),
            None => Ok(Self(segments.iter().map(|&segment| segment.to_owned()).collect())),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name as part of a subject.
    pub(crate) fn tokens(&self) -> String {
        self.0.join(".")
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// Whether `text` can stand between two dots of a subject, in a file name and in a shell, unquoted.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
