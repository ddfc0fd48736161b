//! `s3://bucket/prefix/LOG?setting=value`: where a log lies, and what stands beside it.

use super::UrlError;

/// The longest path below the bucket: keys have at most 1,024 bytes.
const PATH_LIMIT: usize = 900;

/// A bucket, and a path in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) bucket: String,
    /// Without slashes at its ends; empty for the whole bucket.
    pub(crate) path: String,
}

impl Location {
    /// Reads a URL; gives the settings in its query as they stand there, decoded.
    pub(crate) fn parse(url: &str) -> Result<(Self, Vec<(String, String)>), UrlError> {
        let rest = url.strip_prefix("s3://").ok_or_else(|| wrong("it does not start with s3://"))?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, path) = place.split_once('/').unwrap_or((place, ""));
        if bucket.contains('@') {
            return Err(UrlError::Secret {
                detail: "credentials do not belong into an S3 URL: put them into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or name a file with credentials_file".into(),
            });
        }
        let location = Self::new(bucket, &decoded(path)?)?;
        let mut settings = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            settings.push((decoded(key)?, decoded(value)?));
        }
        Ok((location, settings))
    }

    /// A place in `bucket`.
    pub(crate) fn new(bucket: &str, path: &str) -> Result<Self, UrlError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if bucket.is_empty() || bucket.len() > 255 || !bucket.bytes().all(plain) {
            // Not repeated: of a secret with a slash in it, the beginning would be here.
            return Err(wrong("what stands first is not the name of a bucket"));
        }
        let path = path.trim_matches('/');
        let strange = |segment: &str| matches!(segment, "" | "." | "..") || segment.chars().any(char::is_control);
        if !path.is_empty() && path.split('/').any(strange) {
            return Err(wrong("its path has an empty segment, `.`, `..` or control characters"));
        }
        if path.len() > PATH_LIMIT {
            return Err(wrong(&format!("its path is longer than {PATH_LIMIT} bytes")));
        }
        Ok(Self { bucket: bucket.to_owned(), path: path.to_owned() })
    }

    /// Refuses a place that cannot be one log: a whole bucket.
    pub(crate) fn of_log(self) -> Result<Self, UrlError> {
        if self.path.is_empty() { Err(wrong("it names a bucket, and no log in it")) } else { Ok(self) }
    }

    /// How messages call it.
    pub(crate) fn url(&self) -> String {
        if self.path.is_empty() {
            return format!("s3://{}", self.bucket);
        }
        format!("s3://{}/{}", self.bucket, encoded(&self.path))
    }
}

fn wrong(what: &str) -> UrlError {
    UrlError::Location { detail: format!("not the URL of a log in S3, s3://bucket/prefix/LOG: {what}") }
}

/// Resolves percent escapes.
fn decoded(text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(wrong("a `%` is not followed by two hexadecimal digits")),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))
}

/// Escapes what would end the path of a URL.
pub(crate) fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$'()*+,;=:@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
