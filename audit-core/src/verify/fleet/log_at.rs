use std::fmt;

use crate::verify::{LogReader, ReadError};

/// A log, and where it is.
///
/// It is opened when its turn comes, and again when it has to be compared, so that a fleet of
/// thousands does not hold thousands of connections.
pub struct LogAt<'a> {
    location: String,
    open: Box<dyn Fn() -> Result<Box<dyn LogReader>, ReadError> + 'a>,
}

impl<'a> LogAt<'a> {
    /// The log at `location`, a directory or URL for messages, which `open` opens for reading.
    pub fn new(location: impl Into<String>, open: impl Fn() -> Result<Box<dyn LogReader>, ReadError> + 'a) -> Self {
        Self { location: location.into(), open: Box::new(open) }
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Opens it. Blocks as long as the store does.
    ///
    /// # Errors
    ///
    /// As `open` says.
    pub fn reader(&self) -> Result<Box<dyn LogReader>, ReadError> {
        (self.open)()
    }
}

impl fmt::Debug for LogAt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogAt").field(&self.location).finish()
    }
}
