//! Where a log is: `postgres://user@host:port/database/LOG`.

use std::fmt;

/// A URL or an option that says nothing usable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlError {
    /// The URL part or the option that is wrong: `host`, `tls`, `password_file`.
    pub key: String,
    /// What is wrong and what belongs there.
    pub detail: String,
}

impl UrlError {
    pub(crate) fn new(key: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { key: key.into(), detail: detail.into() }
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.detail)
    }
}

impl std::error::Error for UrlError {}

/// The parts of a URL, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) user: String,
    /// A name, an address, or the directory of a Unix socket.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    /// What follows the database: the log, the first segments of some logs, or nothing.
    pub(crate) log: String,
    /// The parameters, decoded, in order.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Location {
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| UrlError::new("url", "it starts with postgres://"))?;
        if rest.contains('#') {
            return Err(UrlError::new("url", "a fragment means nothing here: write a `#` as %23"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority
            .rsplit_once('@')
            .ok_or_else(|| UrlError::new("user", "name the role that connects: postgres://user@host/database/LOG"))?;
        if user.contains(':') {
            let detail = "a password does not belong into a URL, which is logged and listed: \
                          put it into a file or a variable and name that with password_file or password_env";
            return Err(UrlError::new("password", detail));
        }
        let (host, port) = host_and_port(host)?;
        let (database, log) = path.split_once('/').unwrap_or((path, ""));
        let location = Self {
            user: decode("user", user)?,
            host,
            port,
            database: decode("database", database)?,
            log: decode("log", log.trim_end_matches('/'))?,
            parameters: parameters(query)?,
        };
        location.check()
    }

    fn check(self) -> Result<Self, UrlError> {
        for (key, value) in [("user", &self.user), ("host", &self.host), ("database", &self.database)] {
            if value.is_empty() {
                return Err(UrlError::new(key, "it is missing: postgres://user@host:port/database/LOG"));
            }
        }
        // They stand in comments of SQL, and in messages.
        for (key, value) in
            [("user", &self.user), ("host", &self.host), ("database", &self.database), ("log", &self.log)]
        {
            if value.contains(char::is_control) {
                return Err(UrlError::new(key, "a name has no control characters"));
            }
        }
        if self.log.len() > LOG_LIMIT {
            return Err(UrlError::new("log", format!("a name has at most {LOG_LIMIT} bytes")));
        }
        if self.log.split('/').any(str::is_empty) && !self.log.is_empty() {
            return Err(UrlError::new("log", "a name has no empty segment"));
        }
        Ok(self)
    }

    /// The URL of the log `log` in the same place, with the same parameters.
    pub(crate) fn url_of(&self, log: &str) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { encode(&self.host, false) };
        let (user, database, log) = (encode(&self.user, false), encode(&self.database, false), encode(log, true));
        let mut url = format!("postgres://{user}@{host}:{}/{database}/{log}", self.port);
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            url.push_str(&format!("{}={}", encode(name, false), encode(value, true)));
        }
        url
    }

    /// Whether the address is this machine's own.
    pub(crate) fn is_local(&self) -> bool {
        self.host.starts_with('/')
            || self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.host, self.port, self.database)
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), UrlError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(5432), str::parse);
    let port = port.map_err(|_| UrlError::new("port", "it is a number from 1 to 65535"))?;
    Ok((decode("host", host)?, port))
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, UrlError> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').ok_or_else(|| UrlError::new(pair, "it has no value"))?;
            Ok((decode("option", name)?, decode(name, value)?))
        })
        .collect()
}

/// Resolves `%XX`.
fn decode(key: &str, text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(|| UrlError::new(key, "a `%` is followed by two hexadecimal digits"))?);
        rest = rest.get(2..).unwrap_or_default();
    }
    let text = String::from_utf8(bytes).map_err(|_| UrlError::new(key, "it is not UTF-8"))?;
    if text.contains('\0') {
        return Err(UrlError::new(key, "a name has no NUL"));
    }
    Ok(text)
}

fn encode(text: &str, slashes_stay: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b'/' if slashes_stay => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The longest name of a log, in bytes.
const LOG_LIMIT: usize = 255;
