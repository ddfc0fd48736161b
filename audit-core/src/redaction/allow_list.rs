use std::borrow::Cow;
use std::fmt;

use crate::identity::Metadata;

use super::secret_name::is_secret_name;

/// The most headers, and the most query parameters, of one list.
const NAMES_LIMIT: usize = 64;

/// The longest name, in bytes.
const NAME_LIMIT: usize = 128;

/// Names of headers and query parameters whose values are recorded. Empty unless filled: nothing
/// is recorded by default.
///
/// Names are compared without regard to the case of ASCII letters, and as they are spelled: a
/// parameter whose name is percent-encoded is not recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    headers: Vec<String>,
    query: Vec<String>,
}

/// A name that may not be on an [`AllowList`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowListError {
    /// Values under this name are credentials, or look like it.
    Secret {
        /// The name.
        name: String,
    },
    /// No header or parameter has this name.
    Malformed {
        /// The name.
        name: String,
    },
    /// More than 64 names of one kind.
    TooMany,
}

impl fmt::Display for AllowListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { name } => write!(
                f,
                "`{name}` looks like the name of a credential, which must not get into the log: \
                 remove it from the list"
            ),
            Self::Malformed { name } => write!(
                f,
                "`{}` is no name of a header or parameter: write 1 to 128 printable ASCII \
                 characters, without any of space : ; , = & % \" ( )",
                name.escape_debug()
            ),
            Self::TooMany => {
                f.write_str("more than 64 headers, or more than 64 parameters: keep those that are needed")
            }
        }
    }
}

impl std::error::Error for AllowListError {}

impl AllowList {
    /// Allows these headers and these query parameters.
    ///
    /// # Errors
    ///
    /// When a name is not one, or when it is or looks like that of a credential: `authorization`,
    /// `cookie`, and all that speak of keys, tokens, passwords, sessions, signatures or secrets.
    pub fn new<H, Q>(headers: H, query: Q) -> Result<Self, AllowListError>
    where
        H: IntoIterator<Item: AsRef<str>>,
        Q: IntoIterator<Item: AsRef<str>>,
    {
        Ok(Self { headers: check_names(headers)?, query: check_names(query)? })
    }

    /// Whether nothing is allowed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.query.is_empty()
    }

    /// The allowed headers of a request: names in lower case, values as lossy UTF-8, the lines of
    /// a repeated header joined by `, ` (RFC 9110 §5.3).
    #[must_use]
    pub fn headers(&self, metadata: &dyn Metadata) -> Vec<(Cow<'_, str>, Cow<'static, str>)> {
        let pair = |name| Some((Cow::Borrowed(name), Cow::Owned(joined(metadata, name)?)));
        self.headers.iter().map(String::as_str).filter_map(pair).collect()
    }

    /// The allowed parameters of a query string, without its `?`: names in lower case, values as
    /// they were sent. Of a repeated parameter, the first two.
    #[must_use]
    pub fn query<'a>(&'a self, query: &'a str) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
        if self.query.is_empty() {
            return pairs;
        }
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let Some(name) = self.query.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
                continue;
            };
            // A second one shows that there were more; the rest would only cost memory.
            if pairs.iter().filter(|(known, _)| known == name).count() < 2 {
                pairs.push((Cow::Borrowed(name), Cow::Borrowed(value)));
            }
        }
        pairs
    }
}

/// The values of all header lines called `name`, if there is one.
fn joined(metadata: &dyn Metadata, name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    metadata.each_header(name, &mut |line| {
        let line = String::from_utf8_lossy(line);
        match &mut value {
            None => value = Some(line.into_owned()),
            Some(value) => {
                value.push_str(", ");
                value.push_str(&line);
            }
        }
    });
    value
}

fn check_names<N>(names: N) -> Result<Vec<String>, AllowListError>
where
    N: IntoIterator<Item: AsRef<str>>,
{
    let mut checked: Vec<String> = Vec::new();
    for name in names {
        let name = check_name(name.as_ref())?;
        if checked.contains(&name) {
            continue;
        }
        if checked.len() == NAMES_LIMIT {
            return Err(AllowListError::TooMany);
        }
        checked.push(name);
    }
    Ok(checked)
}

fn check_name(name: &str) -> Result<String, AllowListError> {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b":;,=&%\"()".contains(&byte);
    if name.is_empty() || name.len() > NAME_LIMIT || !name.bytes().all(is_allowed) {
        return Err(AllowListError::Malformed { name: name.chars().take(NAME_LIMIT).collect() });
    }
    if is_secret_name(name) {
        return Err(AllowListError::Secret { name: name.to_owned() });
    }
    Ok(name.to_ascii_lowercase())
}
