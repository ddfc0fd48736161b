//! `audit tail`

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use audit_core::verify::{Lines, LogReader};

use crate::arguments;
use crate::ending::{Ending, Failure};
use crate::output::{Reader, has_colours, still_there};
use crate::table;

/// How often a directory that is followed is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// How often a store elsewhere is: each look is a request, for which some charge.
const REMOTE_PAUSE: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &arguments::Tail, json: bool) -> Result<Ending, Failure> {
    let log = arguments.place.open()?;
    let (section, _) = arguments.place.stores()?;
    let remote = section.url().split_once("://").is_some_and(|(scheme, _)| scheme != "file");
    let pause = if remote { REMOTE_PAUSE } else { PAUSE };
    let mut next = log.size()?.saturating_sub(arguments.lines);
    let mut printer = Printer::new(json);
    loop {
        if printer.lines(&*log, &mut next)? == Reader::Gone || !arguments.follow {
            return Ok(Ending::AsItShouldBe);
        }
        while log.size()? <= next {
            thread::sleep(pause);
        }
    }
}

/// Prints lines as they stand, or as a table.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    colours: bool,
    head: bool,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, colours: has_colours(), head: !json }
    }

    /// Prints one line of a log.
    pub(crate) fn print(&mut self, line: &[u8], out: &mut impl std::io::Write) -> std::io::Result<()> {
        if std::mem::take(&mut self.head) {
            writeln!(out, "{}", table::head(self.colours))?;
        }
        if self.json {
            out.write_all(line)?;
            out.write_all(b"\n")
        } else {
            writeln!(out, "{}", table::row(line, self.colours))
        }
    }

    /// Prints all lines from `next` on, and moves it behind the last.
    fn lines(&mut self, log: &dyn LogReader, next: &mut u64) -> Result<Reader, Failure> {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let mut lines = Lines::from(log, *next)?;
        while let Some(line) = lines.next_line()? {
            let line = line.to_vec();
            if still_there(self.print(&line, &mut out))? == Reader::Gone {
                return Ok(Reader::Gone);
            }
            *next += 1;
        }
        Ok(still_there(out.flush())?)
    }
}
