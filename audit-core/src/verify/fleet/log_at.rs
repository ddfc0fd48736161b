use std::fmt;

use crate::verify::{LogReader, ReadError};

/// A log, and where it is.
///
/// It is opened when its turn comes, and again when it has to be compared, so that a fleet of
/// thousands does not hold thousands of connections.
pub struct LogAt<'a> {
    location: String,
    place: Option<String>,
    open: Box<dyn Fn() -> Result<Box<dyn LogReader>, ReadError> + 'a>,
}

impl<'a> LogAt<'a> {
    /// The log at `location`, a directory or URL for messages, which `open` opens for reading.
    pub fn new(location: impl Into<String>, open: impl Fn() -> Result<Box<dyn LogReader>, ReadError> + 'a) -> Self {
        Self { location: location.into(), place: None, open: Box::new(open) }
    }

    /// Gives the text that stands for the location however it is spelled: an absolute path, say. What
    /// is kept for the next run is kept under it. Without it, that is the location.
    #[must_use]
    pub fn known_as(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Where it is, however that is spelled.
    pub(super) fn place(&self) -> &str {
        self.place.as_deref().unwrap_or(&self.location)
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
