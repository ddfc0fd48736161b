use std::path::{Path, PathBuf};

use async_nats::ConnectOptions;

use crate::UrlError;
use crate::small_file;

/// The longest secret that is read from a file, in bytes.
const SECRET_LIMIT: u64 = 64 << 10;

/// Who we are, by the names of files and variables: secrets are read anew for every connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) password_env: Option<String>,
    pub(crate) nkey_file: Option<PathBuf>,
    pub(crate) creds_file: Option<PathBuf>,
    pub(crate) cert_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
}

impl Credentials {
    /// Refuses what does not fit together.
    pub(crate) fn check(&self) -> Result<(), UrlError> {
        match (&self.cert_file, &self.key_file) {
            (Some(_), None) => return Err(UrlError::bad("cert_file", "it needs `key_file`")),
            (None, Some(_)) => return Err(UrlError::bad("key_file", "it needs `cert_file`")),
            _ => {}
        }
        let passwords =
            [("password_file", self.password_file.is_some()), ("password_env", self.password_env.is_some())];
        let mut passwords = passwords.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
        match (passwords.next(), passwords.next(), &self.user) {
            (Some(_), Some(other), _) => return Err(UrlError::bad(other, "give one place of the password, not two")),
            (Some(name), None, None) => return Err(UrlError::bad(name, "it needs `user`")),
            (None, None, Some(_)) => {
                return Err(UrlError::bad("user", "it needs `password_file` or `password_env`"));
            }
            _ => {}
        }
        let ways = [
            ("user", self.user.is_some()),
            ("nkey_file", self.nkey_file.is_some()),
            ("creds_file", self.creds_file.is_some()),
        ];
        match ways.into_iter().filter(|(_, given)| *given).nth(1) {
            Some((name, _)) => Err(UrlError::bad(name, "give one of `user`, `nkey_file` and `creds_file`")),
            None => Ok(()),
        }
    }

    /// Reads the secrets and adds them to `options`; the certificate is not among them.
    ///
    /// # Errors
    ///
    /// Says which file or variable cannot be used.
    pub(crate) fn add_to(&self, options: ConnectOptions) -> Result<ConnectOptions, String> {
        if let Some(user) = &self.user {
            return Ok(options.user_and_password(user.clone(), self.password()?));
        }
        if let Some(path) = &self.nkey_file {
            return Ok(options.nkey(read(path)?));
        }
        if let Some(path) = &self.creds_file {
            let said = read(path)?;
            return options.credentials(&said).map_err(|error| format!("{} cannot be used: {error}", path.display()));
        }
        Ok(options)
    }

    fn password(&self) -> Result<String, String> {
        match (&self.password_file, &self.password_env) {
            (Some(path), _) => read(path),
            (None, Some(name)) => {
                std::env::var(name).map_err(|_| format!("environment variable {name} with the password is not set"))
            }
            (None, None) => Ok(String::new()),
        }
    }
}

/// The text of a small file without the white space at its end.
fn read(path: &Path) -> Result<String, String> {
    let bytes = small_file::read(path, SECRET_LIMIT)?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))?;
    Ok(text.trim_end().to_owned())
}
