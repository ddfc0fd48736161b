use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::ConfigMistake;

/// Why a configuration was not loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The text is not a configuration.
    Invalid {
        /// The file, where the text came from one.
        path: Option<PathBuf>,
        /// The line, counted from 1.
        line: usize,
        /// The character in the line, counted from 1.
        column: usize,
        /// What is wrong there.
        mistake: ConfigMistake,
    },
}

impl ConfigError {
    /// What is wrong with the text, if that is the reason.
    #[must_use]
    pub const fn mistake(&self) -> Option<&ConfigMistake> {
        match self {
            Self::Read { .. } => None,
            Self::Invalid { mistake, .. } => Some(mistake),
        }
    }

    /// Line and column of the mistake, both counted from 1.
    #[must_use]
    pub const fn position(&self) -> Option<(usize, usize)> {
        match self {
            Self::Read { .. } => None,
            Self::Invalid { line, column, .. } => Some((*line, *column)),
        }
    }

    /// The same, naming the file.
    pub(super) fn in_file(self, file: &Path) -> Self {
        match self {
            Self::Invalid { line, column, mistake, .. } => {
                Self::Invalid { path: Some(file.to_owned()), line, column, mistake }
            }
            read @ Self::Read { .. } => read,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => write!(f, "cannot read the configuration {}: {source}", path.display()),
            Self::Invalid { path: Some(path), line, column, mistake } => {
                write!(f, "{}:{line}:{column}: {mistake}", path.display())
            }
            Self::Invalid { path: None, line, column, mistake } => {
                write!(f, "configuration, line {line}, column {column}: {mistake}")
            }
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Invalid { .. } => None,
        }
    }
}
