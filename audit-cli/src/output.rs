//! Writing to the standard output, for people and for programs.

use std::io::{self, IsTerminal as _, Write as _};

/// Prints one line. That nobody reads it any more is not an error.
pub(crate) fn line(text: impl AsRef<[u8]>) -> io::Result<Reader> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_ref()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    still_there(written)
}

/// Prints a JSON value on one line.
pub(crate) fn json(value: &serde_json::Value) -> io::Result<Reader> {
    line(value.to_string())
}

/// Whether somebody still reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    There,
    Gone,
}

/// Tells a reader who has gone from a real error.
pub(crate) fn still_there(written: io::Result<()>) -> io::Result<Reader> {
    match written {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(error),
    }
}

/// Whether colours help whoever reads the standard output (<https://no-color.org>).
pub(crate) fn has_colours() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How something is emphasised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Good,
    Warning,
    Bad,
    Faint,
    Strong,
}

/// `text` in `style`, if colours are wanted.
pub(crate) fn styled(text: &str, style: Style, colours: bool) -> String {
    let code = match style {
        Style::Plain => return text.to_owned(),
        Style::Good => "32",
        Style::Warning => "33",
        Style::Bad => "1;31",
        Style::Faint => "2",
        Style::Strong => "1",
    };
    if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}
