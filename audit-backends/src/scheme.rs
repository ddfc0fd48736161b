use super::LocationError;

/// Which store a location is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    File,
    S3,
    Nats,
    Postgres,
}

impl Scheme {
    /// The store of `location`: what stands in front of `://`, and a directory without it. What only
    /// looks like a URL would otherwise become a directory that nobody meant.
    pub(crate) fn of(location: &str) -> Result<Self, LocationError> {
        if location.is_empty() {
            return Err(LocationError::Empty);
        }
        let Some((scheme, _)) = location.split_once("://") else {
            return match scheme_of(location) {
                Some(scheme) => Err(LocationError::NoSlashes { scheme: scheme.to_owned() }),
                None => Ok(Self::File),
            };
        };
        match scheme {
            "file" => Ok(Self::File),
            "s3" => Ok(Self::S3),
            "nats" | "tls" => Ok(Self::Nats),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            _ => Err(LocationError::UnknownScheme { scheme: scheme.to_owned() }),
        }
    }

    /// The error for a store that this program was built without. A directory never is.
    #[cfg(not(all(feature = "s3", feature = "nats", feature = "postgres")))]
    pub(crate) const fn not_built_in(self) -> LocationError {
        let name = match self {
            Self::File => "file",
            Self::S3 => "s3",
            Self::Nats => "nats",
            Self::Postgres => "postgres",
        };
        LocationError::NotBuiltIn { scheme: name, feature: name }
    }
}

/// The scheme that a text begins with (RFC 3986 §3.1).
fn scheme_of(location: &str) -> Option<&str> {
    let (scheme, _) = location.split_once(':')?;
    let letter = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let others = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    (letter && others).then_some(scheme)
}
