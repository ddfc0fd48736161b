//! What can be set about a store, and how settings are read from a URL and beside it.

use std::path::PathBuf;
use std::time::Duration;

use super::credentials::CredentialSource;
use super::location::Location;
use super::{LockMode, UrlError};

/// The longest retention: 100 years, as S3 has it.
const DAYS_LIMIT: u32 = 36_500;

/// The most bytes in one object of lines, whatever is set: readers refuse larger ones.
pub(crate) const BATCH_LIMIT: usize = 8 << 20;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    pub(crate) path_style: Option<bool>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) credentials_file: Option<PathBuf>,
    pub(crate) profile: Option<String>,
    pub(crate) mode: Option<LockMode>,
    pub(crate) retention_days: Option<u32>,
    pub(crate) detect_forks: bool,
    pub(crate) allow_delete_right: bool,
    pub(crate) linger: Duration,
    pub(crate) batch_bytes: usize,
    pub(crate) checkpoint_rest: Duration,
    pub(crate) read_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: "us-east-1".into(),
            path_style: None,
            ca_file: None,
            credentials_file: None,
            profile: None,
            mode: None,
            retention_days: None,
            detect_forks: false,
            allow_delete_right: false,
            linger: Duration::from_millis(100),
            batch_bytes: 1 << 20,
            checkpoint_rest: Duration::from_secs(60),
            read_timeout: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// The place and the settings of a URL, with further settings beside it.
    pub(crate) fn from_url(url: &str, options: &[(String, String)]) -> Result<(Location, Self), UrlError> {
        let (location, mut pairs) = Location::parse(url)?;
        pairs.extend_from_slice(options);
        Ok((location, Self::from_pairs(&pairs)?))
    }

    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, UrlError> {
        let mut settings = Self::default();
        for (at, (key, value)) in pairs.iter().enumerate() {
            if pairs.iter().take(at).any(|(earlier, _)| earlier == key) {
                return Err(UrlError::Twice { key: key.clone() });
            }
            settings.set(key, value)?;
        }
        settings.check()?;
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), UrlError> {
        match key {
            "endpoint" => self.endpoint = Some(value.to_owned()),
            "region" => value.clone_into(&mut self.region),
            "path_style" => self.path_style = Some(boolean(key, value)?),
            "ca_file" => self.ca_file = Some(file(key, value)?),
            "credentials_file" => self.credentials_file = Some(file(key, value)?),
            "profile" => self.profile = Some(value.to_owned()),
            "mode" => {
                let mode = LockMode::from_word(value);
                self.mode = Some(mode.ok_or_else(|| wrong(key, "`compliance` or `governance`"))?);
            }
            "retention_days" => {
                let days = number(key, value, 1, u64::from(DAYS_LIMIT))?;
                self.retention_days = Some(u32::try_from(days).unwrap_or(DAYS_LIMIT));
            }
            "fencing" => {
                self.detect_forks = match value {
                    "enforce" => false,
                    "detect" => true,
                    _ => return Err(wrong(key, "`enforce` or `detect`")),
                }
            }
            "allow_delete_right" => self.allow_delete_right = boolean(key, value)?,
            "linger_ms" => self.linger = Duration::from_millis(number(key, value, 0, 60_000)?),
            "batch_bytes" => {
                let bytes = number(key, value, 1_024, BATCH_LIMIT as u64)?;
                self.batch_bytes = usize::try_from(bytes).unwrap_or(BATCH_LIMIT);
            }
            "checkpoint_seconds" => self.checkpoint_rest = Duration::from_secs(number(key, value, 0, 86_400)?),
            "read_timeout_ms" => self.read_timeout = Duration::from_millis(number(key, value, 1, 3_600_000)?),
            secret if is_secret(secret) => return Err(secret_in_settings(secret)),
            _ => return Err(UrlError::Unknown { key: key.to_owned() }),
        }
        Ok(())
    }

    /// Refuses settings that do not go together.
    pub(crate) fn check(&self) -> Result<(), UrlError> {
        if self.profile.is_some() && self.credentials_file.is_none() {
            return Err(wrong("profile", "it names a part of the credentials_file, which is not given"));
        }
        if self.mode.is_some() && self.retention_days.is_none() {
            return Err(wrong("mode", "it needs retention_days; without both, the bucket's default retention counts"));
        }
        if self.region.is_empty() || !self.region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(wrong("region", "letters, digits and `-`"));
        }
        self.endpoint.as_deref().map_or(Ok(()), check_endpoint)
    }

    /// Whether the bucket stands in the path rather than in the host name.
    pub(crate) fn uses_path_style(&self) -> bool {
        self.path_style.unwrap_or(self.endpoint.is_some())
    }

    /// Whether requests go through TLS.
    pub(crate) fn uses_tls(&self) -> bool {
        self.endpoint.as_deref().is_none_or(|endpoint| endpoint.starts_with("https://"))
    }

    /// Where credentials come from.
    pub(crate) fn credentials(&self) -> CredentialSource {
        match &self.credentials_file {
            None => CredentialSource::Environment,
            Some(path) => CredentialSource::File {
                path: path.clone(),
                profile: self.profile.clone().unwrap_or_else(|| "default".into()),
            },
        }
    }
}

fn check_endpoint(endpoint: &str) -> Result<(), UrlError> {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    match host {
        // Anywhere: the secret of a key may have slashes in it.
        Some(_) if endpoint.contains('@') => Err(UrlError::Secret {
            detail: "credentials do not belong into the endpoint: put them into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or name a file with credentials_file".into(),
        }),
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(()),
        _ => Err(wrong("endpoint", "https://host:port, or http://host:port where nobody else is on the wire")),
    }
}

/// Whether a setting of this name would hold a secret.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["secret", "password", "token", "access_key", "accesskey"].iter().any(|word| key.contains(word))
}

fn secret_in_settings(key: &str) -> UrlError {
    UrlError::Secret {
        detail: format!(
            "`{key}` is no setting: secrets belong into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) or into a file that credentials_file names"
        ),
    }
}

fn wrong(key: &str, detail: &str) -> UrlError {
    UrlError::Value { key: key.to_owned(), detail: detail.to_owned() }
}

fn boolean(key: &str, value: &str) -> Result<bool, UrlError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(key, "`true` or `false`")),
    }
}

fn file(key: &str, value: &str) -> Result<PathBuf, UrlError> {
    if value.is_empty() { Err(wrong(key, "the name of a file")) } else { Ok(PathBuf::from(value)) }
}

fn number(key: &str, value: &str, least: u64, most: u64) -> Result<u64, UrlError> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { value.parse().ok() } else { None };
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| wrong(key, &format!("a whole number from {least} to {most}")))
}
