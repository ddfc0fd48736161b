use std::path::PathBuf;
use std::time::Duration;

use crate::UrlError;
use crate::credentials::Credentials;
use crate::log_name::{LogName, is_token};
use crate::subjects::Subjects;
use crate::url::Parts;

/// How long one request waits for its answer before it is sent again.
const ACK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a reader waits for a server that does not answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a log is, and how to get there: a URL with its options, checked.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `host:port` of each server.
    pub(crate) servers: Vec<String>,
    pub(crate) tls: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) credentials: Credentials,
    pub(crate) stream: String,
    pub(crate) log: LogName,
    pub(crate) subject_prefix: String,
    pub(crate) inbox_prefix: Option<String>,
    /// What the subjects of JetStream's own interface start with.
    pub(crate) api: String,
    pub(crate) sync_always: bool,
    pub(crate) required_replicas: u8,
    pub(crate) allow_admin_rights: bool,
    pub(crate) ack_timeout: Duration,
    pub(crate) read_timeout: Duration,
    /// All before the path of the URL, and all behind it.
    pub(crate) around_path: (String, String),
}

impl Target {
    /// Takes a URL and further options: those that may stand in the URL's query.
    pub(crate) fn parse(url: &str, further: &[(String, String)]) -> Result<Self, UrlError> {
        let parts = Parts::parse(url)?;
        let Some((stream, log)) = parts.path.split_first() else {
            return Err(UrlError::malformed("the URL names no stream: use `nats://HOST/STREAM/LOG`"));
        };
        if !is_token(stream) {
            return Err(UrlError::malformed(
                "the first segment of the URL's path cannot be the name of a stream here: use ASCII letters, digits, \
                 `-` and `_`",
            ));
        }
        let log = LogName::from_segments(&log.iter().map(String::as_str).collect::<Vec<_>>())?;
        let mut target = Self {
            servers: parts.servers,
            tls: parts.tls,
            ca_file: None,
            credentials: Credentials { user: parts.user, ..Credentials::default() },
            stream: stream.clone(),
            log,
            subject_prefix: "audit".into(),
            inbox_prefix: None,
            api: "$JS.API".into(),
            sync_always: false,
            required_replicas: 1,
            allow_admin_rights: false,
            ack_timeout: ACK_TIMEOUT,
            read_timeout: READ_TIMEOUT,
            around_path: (parts.before_path, parts.query),
        };
        let mut given: Vec<&str> = Vec::new();
        for (name, value) in parts.options.iter().chain(further) {
            if given.contains(&name.as_str()) {
                return Err(UrlError::RepeatedOption { name: name.clone() });
            }
            given.push(name);
            target.set(name, value)?;
        }
        target.credentials.check()?;
        // Who names an authority or shows a certificate does not mean to be answered in clear.
        target.tls |= target.ca_file.is_some() || target.credentials.cert_file.is_some();
        Ok(target)
    }

    /// The same, for a URL that has to name one log.
    pub(crate) fn of_log(url: &str, further: &[(String, String)]) -> Result<Self, UrlError> {
        let target = Self::parse(url, further)?;
        if target.log.is_empty() {
            return Err(UrlError::malformed("the URL names no log: use `nats://HOST/STREAM/LOG`"));
        }
        Ok(target)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        match name {
            "tls" if value == "required" => self.tls = true,
            "tls" => return Err(UrlError::bad(name, "it has to be `required`, or left out")),
            "ca_file" => self.ca_file = Some(file(name, value)?),
            "cert_file" => self.credentials.cert_file = Some(file(name, value)?),
            "key_file" => self.credentials.key_file = Some(file(name, value)?),
            "nkey_file" => self.credentials.nkey_file = Some(file(name, value)?),
            "creds_file" => self.credentials.creds_file = Some(file(name, value)?),
            "password_file" => self.credentials.password_file = Some(file(name, value)?),
            "password_env" if value.is_empty() => {
                return Err(UrlError::bad(name, "it has to name an environment variable"));
            }
            "password_env" => self.credentials.password_env = Some(value.to_owned()),
            "password" | "token" => {
                return Err(UrlError::Secret {
                    detail: format!(
                        "option `{name}` would put a secret where others can read it: use `password_file` or `password_env`"
                    ),
                });
            }
            "user" if self.credentials.user.is_some() => return Err(UrlError::RepeatedOption { name: name.into() }),
            "user" => self.credentials.user = Some(value.to_owned()),
            "subject_prefix" => self.subject_prefix = subject(name, value)?,
            "inbox_prefix" => self.inbox_prefix = Some(subject(name, value)?),
            "domain" if is_token(value) => self.api = format!("$JS.{value}.API"),
            "domain" => return Err(UrlError::bad(name, "it has to be the name of a JetStream domain")),
            "sync_always" => self.sync_always = boolean(name, value)?,
            "allow_admin_rights" => self.allow_admin_rights = boolean(name, value)?,
            "required_replicas" => match value.parse() {
                Ok(replicas @ 1..=5) => self.required_replicas = replicas,
                _ => return Err(UrlError::bad(name, "it has to be a number from 1 to 5")),
            },
            "ack_timeout" => self.ack_timeout = time(name, value)?,
            "read_timeout" => self.read_timeout = time(name, value)?,
            _ => return Err(UrlError::UnknownOption { name: name.to_owned() }),
        }
        Ok(())
    }

    pub(crate) fn subjects(&self) -> Subjects {
        Subjects::of(&self.subject_prefix, &self.log)
    }

    /// The stream and the servers, for messages.
    pub(crate) fn place(&self) -> String {
        format!("stream {} on {}", self.stream, self.servers.join(","))
    }

    /// The URL of another log of the same stream.
    pub(crate) fn url_of(&self, log: &LogName) -> String {
        let (before, query) = &self.around_path;
        format!("{before}/{}/{log}{query}", self.stream)
    }
}

fn file(name: &str, value: &str) -> Result<PathBuf, UrlError> {
    if value.is_empty() { Err(UrlError::bad(name, "it has to name a file")) } else { Ok(PathBuf::from(value)) }
}

fn subject(name: &str, value: &str) -> Result<String, UrlError> {
    if value.len() <= 64 && value.split('.').all(is_token) {
        return Ok(value.to_owned());
    }
    Err(UrlError::bad(name, "use at most 64 ASCII letters, digits, `-` and `_`, with dots between tokens"))
}

fn boolean(name: &str, value: &str) -> Result<bool, UrlError> {
    value.parse().map_err(|_| UrlError::bad(name, "it has to be `true` or `false`"))
}

/// A time such as `500ms`, `2s` or `1m`, of at least 10 ms and at most an hour.
fn time(name: &str, value: &str) -> Result<Duration, UrlError> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at_checked(digits).unwrap_or((value, ""));
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => 0,
    };
    let milliseconds = number.parse::<u64>().unwrap_or(0).saturating_mul(unit);
    if (10..=3_600_000).contains(&milliseconds) {
        return Ok(Duration::from_millis(milliseconds));
    }
    Err(UrlError::bad(name, "it has to be a time from `10ms` to `60m`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Target, UrlError> {
        Target::of_log(&format!("nats://127.0.0.1/AUDIT/payments?{query}"), &[])
    }

    #[test]
    fn every_option_may_stand_in_the_query_or_beside_the_url_but_not_in_both() {
        let further = [("required_replicas".to_owned(), "3".to_owned())];
        let target = Target::of_log("nats://127.0.0.1/AUDIT/payments?sync_always=true", &further);
        assert!(matches!(&target, Ok(it) if it.sync_always && it.required_replicas == 3), "{target:?}");
        let twice = Target::of_log("nats://127.0.0.1/AUDIT/payments?required_replicas=3", &further);
        assert_eq!(twice.err(), Some(UrlError::RepeatedOption { name: "required_replicas".into() }));
    }

    #[test]
    fn naming_an_authority_requires_tls() {
        let tls = |query| parse(query).map(|target| target.tls);
        assert_eq!(tls("ca_file=%2Fetc%2Fca.pem"), Ok(true));
        assert_eq!(tls("cert_file=a&key_file=b"), Ok(true));
        assert_eq!(tls("tls=required"), Ok(true));
        assert_eq!(tls("sync_always=true"), Ok(false));
    }

    #[test]
    fn a_mistake_names_the_option() {
        for (query, name) in [
            ("tls=maybe", "tls"),
            ("sync_always=1", "sync_always"),
            ("required_replicas=0", "required_replicas"),
            ("ack_timeout=2", "ack_timeout"),
            ("ack_timeout=99999h", "ack_timeout"),
            ("subject_prefix=a.*", "subject_prefix"),
            ("cert_file=a", "cert_file"),
            ("password_env=A", "password_env"),
            ("user=a", "user"),
            ("colour=blue", "colour"),
        ] {
            let error = parse(query).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(&format!("`{name}`")), "{query}: {error}");
        }
    }

    #[test]
    fn secrets_are_refused_wherever_they_stand() {
        for query in ["password=hunter2", "token=hunter2"] {
            let refused = parse(query);
            assert!(matches!(&refused, Err(UrlError::Secret { detail }) if !detail.contains("hunter2")), "{refused:?}");
        }
    }

    #[test]
    fn a_url_that_names_too_little_is_not_repeated() {
        for url in [
            "nats://127.0.0.1?password=hunter2",
            "nats://127.0.0.1/AUDIT?password_env=hunter2&user=a",
            "nats://writer:1/hunter2@127.0.0.1/AUDIT/log",
            "nats://writer:1/AUDIT/hunter2@127.0.0.1/log",
        ] {
            let said = Target::of_log(url, &[]).err().map(|error| error.to_string());
            assert!(said.as_ref().is_some_and(|said| !said.contains("hunter2")), "{url}: {said:?}");
        }
    }

    #[test]
    fn names_that_could_mean_other_subjects_are_refused() {
        for path in ["AUDIT/a.b", "AUDIT/*", "AUDIT/>", "AUDIT//a", "AU.DIT/a", "AUDIT", ""] {
            assert!(Target::of_log(&format!("nats://127.0.0.1/{path}"), &[]).is_err(), "{path}");
        }
    }

    #[test]
    fn a_name_of_more_than_eight_segments_or_128_bytes_is_refused() {
        let named = |name: String| Target::of_log(&format!("nats://127.0.0.1/AUDIT/{name}"), &[]).is_ok();
        assert!(named(["a"; 8].join("/")) && !named(["a"; 9].join("/")));
        assert!(named("a".repeat(127)) && !named("a".repeat(128)));
    }
}
