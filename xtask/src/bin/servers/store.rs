//! A store that is kept: where it is, and with which settings.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use real_servers::{Failure, Proxy, free_port};
use serde_json::{Value, json};

/// A place for a log on a server that is kept.
#[derive(Debug)]
pub(crate) struct Store {
    /// What the server is.
    pub(crate) server: &'static str,
    /// The URL without its settings.
    pub(crate) url: String,
    /// The settings, by the names that they have in a URL and in a configuration file.
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl Store {
    /// The URL with all settings.
    pub(crate) fn whole_url(&self) -> String {
        let settings: Vec<String> = self.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if settings.is_empty() { self.url.clone() } else { format!("{}?{}", self.url, settings.join("&")) }
    }

    /// The section of a configuration file under the header `header`.
    fn section(&self, header: &str) -> Result<String, Failure> {
        // Another log than the one that the example's own files copy to the same places.
        let url = self.url.replacen("/payments", "/orders", 1);
        let mut section = format!("# {}\n{header}\nurl = {}\n", self.server, quoted(&url)?);
        for (name, value) in &self.settings {
            writeln!(section, "{name} = {}", quoted(value)?)?;
        }
        Ok(section)
    }

    /// The URL for whoever may read and nothing else.
    fn reading_url(&self) -> String {
        self.whole_url().replacen("//writer@", "//reader@", 1).replacen("profile=writer", "profile=reader", 1)
    }

    pub(crate) fn describe(&self) -> Value {
        json!({ "server": self.server, "url": self.whole_url(), "reading_url": self.reading_url() })
    }
}

/// A text in quotes, as TOML takes it.
fn quoted(text: &str) -> Result<String, Failure> {
    // What JSON escapes, TOML escapes alike.
    Ok(serde_json::to_string(text)?)
}

/// Writes the configuration file `name`: the first store is the primary, the others are replicas.
pub(crate) fn configuration(folder: &Path, name: &str, stores: &[&Store]) -> Result<PathBuf, Failure> {
    let headers = std::iter::once("[primary]").chain(std::iter::repeat("[[replica]]"));
    let sections: Result<Vec<_>, _> = headers.zip(stores).map(|(header, store)| store.section(header)).collect();
    let path = folder.join(name);
    fs::write(&path, sections?.join("\n"))?;
    Ok(path)
}

/// Writes a file that only its owner may read.
pub(crate) fn secret(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    let path = folder.join(name);
    let _ = fs::remove_file(&path);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

/// The port where clients find a server.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) port: u16,
    _wire: Option<Proxy>,
}

impl Front {
    /// A wire from the usual port to `target`, so that the URL is the same from day to day; from any
    /// free port where somebody else has that one.
    pub(crate) fn usual(usual: u16, target: u16) -> Result<Self, Failure> {
        let wire = Proxy::start_on(usual, target).or_else(|_| Proxy::start_on(free_port()?, target))?;
        Ok(Self { port: wire.port(), _wire: Some(wire) })
    }

    /// The server's own port, with nothing in between.
    pub(crate) const fn own(port: u16) -> Self {
        Self { port, _wire: None }
    }
}
