//! `audit tail`

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use audit_core::record::Record;
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
    let size = log.size()?;
    let mut position = Position { next: size.saturating_sub(arguments.lines), size, last: None, behind: 0 };
    let mut printer = Printer::new(json);
    loop {
        if printer.lines(&*log, &mut position)? == Reader::Gone || !arguments.follow {
            return Ok(Ending::AsItShouldBe);
        }
        thread::sleep(pause);
        while !position.has_more(log.size()?)? {
            thread::sleep(pause);
        }
    }
}

/// How far a log has been shown.
#[derive(Debug)]
struct Position {
    /// The number of the next record.
    next: u64,
    /// The most records that the log has had.
    size: u64,
    /// The last record that was shown: the next one may be missing, this one is there.
    last: Option<u64>,
    /// How many lines behind it were shown that are no records.
    behind: u64,
}

impl Position {
    /// Moves behind a line. Its own number counts: where records are missing, those behind them have
    /// higher ones than lines were counted.
    fn pass(&mut self, line: &[u8]) {
        match Record::parse(line) {
            Ok(record) => {
                (self.last, self.behind) = (Some(record.seq()), 0);
                self.next = record.seq().saturating_add(1);
                self.size = self.size.max(self.next);
            }
            Err(_) => (self.next, self.behind) = (self.next + 1, self.behind + 1),
        }
    }

    /// Whether a log that now has `size` records has more to show.
    fn has_more(&mut self, size: u64) -> Result<bool, Failure> {
        if size < self.size {
            let before = self.size;
            return Err(Failure::new(format!(
                "the log had {before} records and has {size} now: see `audit verify`, and start again"
            )));
        }
        self.size = size;
        Ok(size > self.next)
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

    /// Prints all lines from a position on, and moves it behind the last.
    fn lines(&mut self, log: &dyn LogReader, position: &mut Position) -> Result<Reader, Failure> {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let mut lines = Lines::from(log, position.last.unwrap_or(position.next))?;
        for _ in 0..position.last.map_or(0, |_| position.behind + 1) {
            lines.next_line()?;
        }
        while let Some(line) = lines.next_line()? {
            let line = line.to_vec();
            if still_there(self.print(&line, &mut out))? == Reader::Gone {
                return Ok(Reader::Gone);
            }
            position.pass(&line);
        }
        Ok(still_there(out.flush())?)
    }
}
