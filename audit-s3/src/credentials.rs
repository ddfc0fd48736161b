//! Where the keys come from: the environment or a file, read again every few minutes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::small_file;

/// For how long credentials are used before they are read again, so that rotated ones take over.
const KEPT: Duration = Duration::from_secs(300);

/// The longest file of credentials that is read.
const FILE_LIMIT: u64 = 1 << 20;

/// Where credentials come from.
#[derive(Clone, Debug)]
pub(crate) enum CredentialSource {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if it is set, `AWS_SESSION_TOKEN`.
    Environment,
    /// A file in the form of `~/.aws/credentials`.
    File { path: PathBuf, profile: String },
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"),
            Self::File { path, profile } => write!(f, "profile [{profile}] of {}", path.display()),
        }
    }
}

impl CredentialSource {
    /// Reads them. Says what is missing; never shows what is there.
    pub(crate) async fn load(&self) -> Result<Credentials, String> {
        let found = match self {
            Self::Environment => Found {
                id: std::env::var("AWS_ACCESS_KEY_ID").ok(),
                secret: std::env::var("AWS_SECRET_ACCESS_KEY").ok(),
                token: std::env::var("AWS_SESSION_TOKEN").ok(),
            },
            Self::File { path, profile } => read(path, profile).await?,
        };
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        let (Some(id), Some(secret)) = (given(found.id), given(found.secret)) else {
            return Err(format!("there is no access key with its secret in {self}"));
        };
        let until = SystemTime::now() + KEPT;
        Ok(Credentials::new(id, secret, given(found.token), Some(until), "audit-s3"))
    }
}

impl ProvideCredentials for CredentialSource {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.load().await.map_err(CredentialsError::not_loaded) })
    }
}

#[derive(Default)]
struct Found {
    id: Option<String>,
    secret: Option<String>,
    token: Option<String>,
}

async fn read(path: &Path, profile: &str) -> Result<Found, String> {
    let name = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || small_file::read(&name, FILE_LIMIT));
    let read = reading.await.unwrap_or_else(|error| Err(error.to_string()));
    let bytes = read.map_err(|what| format!("{} is no file of credentials: {what}", path.display()))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))?;
    let mut found = None;
    let mut here = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            here = name.trim() == profile;
            if here {
                found.get_or_insert_with(Found::default);
            }
        } else if let (true, Some(found), Some((key, value))) = (here, &mut found, line.split_once('=')) {
            let value = Some(value.trim().to_owned());
            match key.trim() {
                "aws_access_key_id" => found.id = value,
                "aws_secret_access_key" => found.secret = value,
                "aws_session_token" => found.token = value,
                _ => {}
            }
        }
    }
    found.ok_or_else(|| format!("there is no profile [{profile}] in {}", path.display()))
}
