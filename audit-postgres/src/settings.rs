//! What the URL and the options say, checked.

use std::path::PathBuf;
use std::time::Duration;

use crate::url::{Location, UrlError};

/// How one log, or some logs under one prefix, are reached.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) location: Location,
    pub(crate) schema: String,
    pub(crate) tls: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) password: Password,
    pub(crate) pool: usize,
    /// Whether the server is on another machine.
    pub(crate) remote: bool,
    /// How long a reader waits for one answer.
    pub(crate) read_timeout: Duration,
}

/// Where the password is. It is read when a connection pool is made, and never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Password {
    /// Not needed: `trust`, `peer` or a certificate.
    None,
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl Settings {
    pub(crate) fn new(url: &str, options: &[(String, String)]) -> Result<Self, UrlError> {
        let location = Location::parse(url)?;
        let mut settings = Self {
            schema: "audit_log".to_owned(),
            tls: !location.is_local(),
            ca_file: None,
            password: Password::None,
            pool: POOL.0,
            remote: !location.is_local(),
            read_timeout: Duration::from_secs(30),
            location,
        };
        let given: Vec<(String, String)> = settings.location.parameters.iter().chain(options).cloned().collect();
        for (at, (name, value)) in given.iter().enumerate() {
            if given.iter().take(at).any(|(before, _)| before == name) {
                return Err(UrlError::new(name, "it is given twice"));
            }
            settings.set(name, value)?;
        }
        if settings.ca_file.is_some() && !settings.tls {
            return Err(UrlError::new("ca_file", "it is of use with tls=require only"));
        }
        Ok(settings)
    }

    /// The same, where the URL has to name one log.
    pub(crate) fn of_log(url: &str, options: &[(String, String)]) -> Result<Self, UrlError> {
        let settings = Self::new(url, options)?;
        if settings.location.log.is_empty() {
            return Err(UrlError::new("log", "name the log behind the database: postgres://user@host/database/LOG"));
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        match name {
            "schema" => self.schema = schema_name(value)?,
            "tls" => self.tls = choice(name, value, "require", "disable")?,
            "ca_file" => self.ca_file = Some(path(name, value)?),
            "password_file" => self.password(Password::File(path(name, value)?))?,
            "password_env" => self.password(Password::Variable(variable(name, value)?))?,
            "pool" => self.pool = number(name, value, 1, POOL.1)?,
            "remote" => self.remote = choice(name, value, "true", "false")?,
            "read_timeout" => self.read_timeout = Duration::from_secs(number(name, value, 1, 3_600)? as u64),
            "password" => {
                return Err(UrlError::new(name, "a password is named, not given: password_file or password_env"));
            }
            _ => return Err(UrlError::new(name, format!("no such option; there are {OPTIONS}"))),
        }
        Ok(())
    }

    fn password(&mut self, password: Password) -> Result<(), UrlError> {
        if self.password != Password::None {
            return Err(UrlError::new("password_file", "either password_file or password_env, not both"));
        }
        self.password = password;
        Ok(())
    }
}

/// A name that needs no quotes in SQL, and leaves room for what the roles append to it.
fn schema_name(value: &str) -> Result<String, UrlError> {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let fits = (1..=48).contains(&value.len())
        && value.bytes().next().is_some_and(lower)
        && value.bytes().all(|byte| lower(byte) || byte.is_ascii_digit())
        && !value.starts_with("pg_");
    if fits {
        return Ok(value.to_owned());
    }
    Err(UrlError::new("schema", "up to 48 of a-z, 0-9 and _, not starting with a digit or pg_"))
}

fn choice(name: &str, value: &str, yes: &str, no: &str) -> Result<bool, UrlError> {
    if value == yes || value == no {
        return Ok(value == yes);
    }
    Err(UrlError::new(name, format!("it is {yes} or {no}, not {value:?}")))
}

fn number(name: &str, value: &str, least: usize, most: usize) -> Result<usize, UrlError> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| UrlError::new(name, format!("a whole number from {least} to {most}, not {value:?}")))
}

fn path(name: &str, value: &str) -> Result<PathBuf, UrlError> {
    if value.is_empty() { Err(UrlError::new(name, "it names no file")) } else { Ok(PathBuf::from(value)) }
}

fn variable(name: &str, value: &str) -> Result<String, UrlError> {
    if value.is_empty() || value.contains('=') {
        return Err(UrlError::new(name, "it names no environment variable"));
    }
    Ok(value.to_owned())
}

/// Connections in a pool: by default, and at most.
pub(crate) const POOL: (usize, usize) = (4, 64);

const OPTIONS: &str = "schema, tls, ca_file, password_file, password_env, pool, remote, read_timeout";
