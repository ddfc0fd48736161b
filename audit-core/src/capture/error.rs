use std::fmt;

/// Why a setting of [`BodyCapture`](super::BodyCapture) was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaptureError {
    /// A number is larger than can be granted.
    TooLarge {
        /// The setting.
        setting: &'static str,
        /// What was asked for.
        value: usize,
        /// The most there is.
        most: usize,
    },
    /// The text is not a pattern for names.
    Pattern {
        /// The text.
        pattern: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The text is not a JSON pointer (RFC 6901).
    Pointer {
        /// The text.
        pointer: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// More rules of one kind than can be kept.
    TooManyRules {
        /// The most there can be.
        most: usize,
    },
    /// A value is to be correlated, and there is no secret to do that with.
    NoSecret,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { setting, value, most } => {
                write!(f, "body capture: `{setting}` is {value}, the most is {most}")
            }
            Self::Pattern { pattern, fault } => {
                write!(f, "body capture: `{}` is no pattern for names: {fault}", pattern.escape_debug())
            }
            Self::Pointer { pointer, fault } => {
                write!(f, "body capture: `{}` is no JSON pointer (RFC 6901): {fault}", pointer.escape_debug())
            }
            Self::TooManyRules { most } => {
                write!(f, "body capture: more than {most} patterns, or more than {most} pointers: join some with `*`")
            }
            Self::NoSecret => f.write_str(
                "body capture: correlating values takes a log secret: call `.secret(LogSecret::from_file(..)?)` first",
            ),
        }
    }
}

impl std::error::Error for CaptureError {}
