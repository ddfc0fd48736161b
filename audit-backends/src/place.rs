//! Which place a location names, however it is spelled.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::file::{directory, encoded, path_text};
use crate::scheme::Scheme;

/// The settings that make another place of the same host and path, and what each is without being set.
const TELLING: [(&str, &str); 4] =
    [("domain", ""), ("endpoint", ""), ("schema", "audit_log"), ("subject_prefix", "audit")];

/// A place, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// `file` for a directory.
    scheme: &'static str,
    /// Bucket, or servers with their ports, in order.
    hosts: Vec<String>,
    path: String,
    settings: BTreeMap<&'static str, String>,
}

/// The text that stands for `location` however it is spelled: an absolute path without links and
/// without slashes at its end, or a URL without user, with port, and with such settings only as make
/// it another place. What is no location stands for itself.
///
/// Looks at the disk for a directory; reaches for no other store.
pub(crate) fn text(location: &str, options: &[(String, String)]) -> String {
    Place::of(location, options).map_or_else(|| location.to_owned(), |place| place.text())
}

/// Whether both name the same log or the same store: one directory under two names, or a server that
/// both reach.
pub(crate) fn same(one: (&str, &[(String, String)]), other: (&str, &[(String, String)])) -> bool {
    let (Some(one), Some(other)) = (Place::of(one.0, one.1), Place::of(other.0, other.1)) else {
        return one.0 == other.0;
    };
    if one.scheme != other.scheme {
        return false;
    }
    if one.scheme == "file" {
        return one.path == other.path || same_directory(Path::new(&one.path), Path::new(&other.path));
    }
    let reached = one.hosts.iter().any(|host| other.hosts.contains(host));
    reached && one.path == other.path && one.settings == other.settings
}

impl Place {
    fn of(location: &str, options: &[(String, String)]) -> Option<Self> {
        let scheme = match Scheme::of(location).ok()? {
            Scheme::File => {
                let path = path_text(&canonical(&directory(location).ok()?));
                return Some(Self { scheme: "file", hosts: Vec::new(), path, settings: BTreeMap::new() });
            }
            Scheme::S3 => "s3",
            Scheme::Nats => "nats",
            Scheme::Postgres => "postgres",
        };
        let (_, rest) = location.split_once("://")?;
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
        let mut hosts: Vec<String> = hosts.split(',').map(|host| with_port(host, scheme)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let path = encoded(&unescaped(path.trim_matches('/')));
        Some(Self { scheme, hosts, path, settings: settings(query, options) })
    }

    fn text(&self) -> String {
        if self.scheme == "file" {
            return self.path.clone();
        }
        let slash = if self.path.is_empty() { "" } else { "/" };
        let mut text = format!("{}://{}{slash}{}", self.scheme, self.hosts.join(","), self.path);
        for (at, (name, value)) in self.settings.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(&format!("{name}={value}"));
        }
        text
    }
}

/// A host in small letters, with the port that it has unless another is given; a bucket as it is.
fn with_port(host: &str, scheme: &str) -> String {
    let port = match scheme {
        "nats" => "4222",
        "postgres" => "5432",
        _ => return host.to_owned(),
    };
    let host = String::from_utf8_lossy(&unescaped(host)).to_lowercase();
    let has_port = host.rsplit_once(':').is_some_and(|(before, port)| !port.ends_with(']') && !before.ends_with(':'));
    if has_port { host } else { format!("{host}:{port}") }
}

/// What is set, in the query or beside it, and makes another place.
fn settings(query: &str, options: &[(String, String)]) -> BTreeMap<&'static str, String> {
    let in_query = query.split('&').filter_map(|pair| pair.split_once('='));
    let in_query = in_query.map(|(name, value)| (name, String::from_utf8_lossy(&unescaped(value)).into_owned()));
    let beside = options.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let mut found = BTreeMap::new();
    for (name, value) in in_query.chain(beside) {
        if let Some((known, usual)) = TELLING.iter().find(|(known, _)| *known == name)
            && value != *usual
        {
            found.insert(*known, value.trim_end_matches('/').to_owned());
        }
    }
    found
}

/// Resolves `%20` and the like; what is no escape stays as it is.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits =
            after.first_chunk::<2>().filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes
}

/// The path without links, as far as it is there.
fn canonical(dir: &Path) -> PathBuf {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    for there in dir.ancestors() {
        if let (Ok(real), Ok(below)) = (fs::canonicalize(there), dir.strip_prefix(there)) {
            return if below.as_os_str().is_empty() { real } else { real.join(below) };
        }
    }
    dir
}

/// Whether two names are of one directory, as with a bind mount.
fn same_directory(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}
