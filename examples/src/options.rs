//! The command line that every server here understands.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::Failure;

/// What was asked for on the command line.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--listen ADDR`: where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `--log PATH`: the directory of the audit log, or the file of the ordinary one.
    pub log: Option<PathBuf>,
    /// `--config FILE`: where the audit log is kept, in the place of `--log`: a primary store and its
    /// replicas.
    pub config: Option<PathBuf>,
    /// `--policy FILE`: what to record; the file `policy.toml` of this crate if not given.
    pub policy: Option<PathBuf>,
    /// `--key FILE`: the signing key; `DIR.key` or `FILE.key`, made when missing, if not given.
    pub key: Option<PathBuf>,
    /// `--origin NAME`: the name of the log.
    pub origin: String,
    /// `--no-handled`: do not count handler runs in `DIR.handled` or `FILE.handled`.
    pub count_handled: bool,
    /// `--capture-bodies`: let the policy ask for bodies.
    pub capture_bodies: bool,
}

impl Options {
    /// Reads the command line of this process.
    ///
    /// # Errors
    ///
    /// Names the argument that is unknown, malformed or without its value.
    pub fn from_arguments() -> Result<Self, Failure> {
        Self::parse(std::env::args_os().skip(1))
    }

    /// Reads `arguments`, without the program's name.
    ///
    /// # Errors
    ///
    /// Names the argument that is unknown, malformed or without its value.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            log: None,
            config: None,
            policy: None,
            key: None,
            origin: "payments.example.com/prod-1".to_owned(),
            count_handled: true,
            capture_bodies: false,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy().into_owned();
            let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--listen" => options.listen = text(&name, value()?)?.parse()?,
                "--log" => options.log = Some(value()?.into()),
                "--config" => options.config = Some(value()?.into()),
                "--policy" => options.policy = Some(value()?.into()),
                "--key" => options.key = Some(value()?.into()),
                "--origin" => options.origin = text(&name, value()?)?,
                "--no-handled" => options.count_handled = false,
                "--capture-bodies" => options.capture_bodies = true,
                _ => return Err(format!("unknown argument {name}\n{USAGE}").into()),
            }
        }
        if options.log.is_some() && options.config.is_some() {
            return Err(format!("--log and --config both say where the log is kept: give one\n{USAGE}").into());
        }
        Ok(options)
    }

    /// What the signing key and the count of handler runs lie beside: the directory of the log, or the
    /// file that says where it is kept.
    ///
    /// # Errors
    ///
    /// When neither `--log` nor `--config` was given.
    pub fn place(&self) -> Result<&Path, Failure> {
        let place = self.log.as_deref().or(self.config.as_deref());
        place.ok_or_else(|| format!("--log or --config is missing\n{USAGE}").into())
    }
}

/// `path` with `.extension` put after its last component: `DIR` gives `DIR.key`.
#[must_use]
pub fn beside(path: &Path, extension: &str) -> PathBuf {
    // Rebuilt from its components, so that `DIR/` has its companion beside it too.
    let mut name: OsString = path.components().collect::<PathBuf>().into();
    name.push(".");
    name.push(extension);
    name.into()
}

fn text(name: &str, value: OsString) -> Result<String, Failure> {
    let text = value.into_string();
    text.map_err(|_| format!("the value of {name} is not UTF-8").into())
}

const USAGE: &str = "usage: --listen ADDR (--log DIR | --config FILE) [--policy FILE] [--key FILE] [--origin NAME] [--no-handled] \
                     [--capture-bodies]";
