//! Taking a URL apart: `nats://[user@]host[:port][,host[:port]...]/STREAM[/LOG]?option=value&...`.

use crate::UrlError;

/// The parts of a URL, before anything is made of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Whether the scheme is `tls`.
    pub(crate) tls: bool,
    pub(crate) user: Option<String>,
    /// `host:port` of each server.
    pub(crate) servers: Vec<String>,
    /// The segments of the path: the stream, then the log.
    pub(crate) path: Vec<String>,
    pub(crate) options: Vec<(String, String)>,
    /// All before the path, to make other URLs of the same stream.
    pub(crate) before_path: String,
    /// The query with its question mark, if there is one.
    pub(crate) query: String,
}

/// The port of a NATS server that names none.
const PORT: &str = "4222";

impl Parts {
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let (tls, rest) = match url.split_once("://") {
            Some(("nats", rest)) => (false, rest),
            Some(("tls", rest)) => (true, rest),
            _ => {
                return Err(UrlError::malformed("the URL is not of the form `nats://HOST[:PORT]/STREAM/LOG`"));
            }
        };
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err(UrlError::Secret {
                detail: "the URL has a password in it, which would end up in logs and process lists: \
                         use option `password_file` or `password_env`"
                    .into(),
            });
        }
        let servers = hosts.split(',').map(server).collect::<Result<_, _>>()?;
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { Vec::new() } else { path.split('/').map(str::to_owned).collect() };
        Ok(Self {
            tls,
            user: user.map(str::to_owned),
            servers,
            path,
            options: query.map_or_else(|| Ok(Vec::new()), options)?,
            before_path: url.get(..url.len() - after_authority(url, authority)).unwrap_or_default().to_owned(),
            query: query.map(|query| format!("?{query}")).unwrap_or_default(),
        })
    }
}

/// How many bytes follow the authority.
fn after_authority(url: &str, authority: &str) -> usize {
    let start = url.find("://").map_or(0, |at| at + 3);
    url.len() - start - authority.len()
}

fn server(text: &str) -> Result<String, UrlError> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, PORT),
    };
    let named = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    if host.is_empty() || !named || port.parse::<u16>().is_err() {
        return Err(UrlError::malformed("a server in the URL is not of the form `HOST` or `HOST:PORT`"));
    }
    Ok(format!("{host}:{port}"))
}

fn options(query: &str) -> Result<Vec<(String, String)>, UrlError> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((name.to_owned(), percent_decoded(name, value)?))
        })
        .collect()
}

/// Turns `%2F` into `/`. A `+` stays what it is.
fn percent_decoded(name: &str, value: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push(u8::try_from(high * 16 + low).unwrap_or_default()),
            _ => return Err(UrlError::bad(name, "`%` has to be followed by two hexadecimal digits")),
        }
    }
    String::from_utf8(bytes).map_err(|_| UrlError::bad(name, "it has to be UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_comes_apart() -> Result<(), UrlError> {
        let parts = Parts::parse("tls://writer@a:1,b,[::1]:3/AUDIT/payments/prod-1?ca_file=%2Fetc%2Fca.pem")?;
        assert!(parts.tls);
        assert_eq!(parts.user.as_deref(), Some("writer"));
        assert_eq!(parts.servers, ["a:1", "b:4222", "[::1]:3"]);
        assert_eq!(parts.path, ["AUDIT", "payments", "prod-1"]);
        assert_eq!(parts.options, [("ca_file".to_owned(), "/etc/ca.pem".to_owned())]);
        assert_eq!(parts.before_path, "tls://writer@a:1,b,[::1]:3");
        Ok(())
    }

    #[test]
    fn a_password_in_a_url_is_refused_without_being_repeated() {
        let refused = Parts::parse("nats://writer:hunter2@a/AUDIT/log");
        assert!(matches!(&refused, Err(UrlError::Secret { detail }) if !detail.contains("hunter2")), "{refused:?}");
    }

    #[test]
    fn a_url_that_cannot_be_read_is_not_repeated_because_a_secret_may_be_in_it() {
        for url in [
            "http://writer:hunter2@a/AUDIT/log",
            "writer:hunter2@a",
            "nats://writer:hunter2",
            "nats://writer:hunter2/rest@a/AUDIT/log",
            "nats://a/AUDIT/log?user=%hunter2",
        ] {
            let said = Parts::parse(url).err().map(|error| error.to_string());
            assert!(said.as_ref().is_some_and(|said| !said.contains("hunter2")), "{url}: {said:?}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_stream_is_refused() {
        for url in ["AUDIT", "http://a/AUDIT", "nats://", "nats://a:99999/AUDIT", "nats://a b/AUDIT"] {
            assert!(Parts::parse(url).is_err(), "{url}");
        }
    }
}
