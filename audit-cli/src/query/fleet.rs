//! Searching all logs of a fleet at once, by time.

use std::io::{self, Write};

use audit_backends::Section;
use audit_core::record::{Kind, Record};
use audit_core::verify::{Lines, Merge, Query, Search};

use crate::ending::Failure;
use crate::location::log_at;
use crate::output::{Reader, has_colours, still_there};
use crate::safe_text::safe;
use crate::table;

/// The most logs that are searched together: each is open all the while.
const LOGS: usize = 512;

/// The widest that the names of logs become in the table.
const WIDTH: usize = 32;

/// Searches. Returns how many lines are no records; 0 for a reader who has gone.
pub(super) fn run(section: &Section, logs: &[String], query: &Query, json: bool) -> Result<u64, Failure> {
    if logs.len() > LOGS {
        let url = section.url();
        return Err(Failure::new(format!(
            "{} logs lie under {url}, and at most {LOGS} can be searched together: give a narrower prefix",
            logs.len()
        )));
    }
    let readers = logs.iter().map(|log| log_at(section, log.clone()).reader()).collect::<Result<Vec<_>, _>>()?;
    let lines = readers.iter().map(|reader| Lines::from(&**reader, 0)).collect::<Result<_, _>>()?;
    let mut searches: Vec<Search> = logs.iter().map(|_| query.clone().search()).collect();
    let mut printer = FleetPrinter::new(section.url(), logs, json);
    let mut merged = Merge::new(lines)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut unreadable = 0_u64;
    while let Some((at, line)) = merged.next_line()? {
        let mut printed = Ok(());
        match (Record::parse(line), searches.get_mut(at)) {
            (Ok(record), Some(search)) => {
                printer.learn(at, &record);
                search.next(&record, |line| {
                    if printed.is_ok() {
                        printed = printer.print(at, line, &mut out);
                    }
                });
            }
            _ => unreadable += 1,
        }
        if still_there(printed)? == Reader::Gone {
            return Ok(0);
        }
    }
    let mut printed = Ok(());
    for (at, search) in searches.into_iter().enumerate() {
        search.finish(|line| {
            if printed.is_ok() {
                printed = printer.print(at, line, &mut out);
            }
        });
    }
    still_there(printed.and_then(|()| out.flush()))?;
    Ok(unreadable)
}

/// What is known of a log, for naming it.
#[derive(Debug)]
struct Shown {
    location: String,
    /// What its location has and the prefix has not.
    short: String,
    /// `<origin>/<log id>`, once its first record has been seen.
    name: Option<String>,
}

/// Prints lines and says which log each is of: in the table in a column, as JSON beside the stored line.
#[derive(Debug)]
struct FleetPrinter {
    logs: Vec<Shown>,
    width: usize,
    json: bool,
    colours: bool,
    head: bool,
}

impl FleetPrinter {
    fn new(prefix: &str, logs: &[String], json: bool) -> Self {
        let logs: Vec<Shown> = logs.iter().map(|log| Shown::new(prefix, log)).collect();
        let width = logs.iter().map(|log| log.short.chars().count()).max().unwrap_or_default().clamp(3, WIDTH);
        Self { logs, width, json, colours: has_colours(), head: !json }
    }

    /// Takes the name of a log from its first record.
    fn learn(&mut self, at: usize, record: &Record<'_>) {
        if let Some(log) = self.logs.get_mut(at)
            && log.name.is_none()
            && record.kind() == Some(Kind::LogOpened)
            && let (Some(origin), Some(id)) = (record.text("origin"), record.text("log"))
        {
            log.name = Some(format!("{origin}/{id}"));
        }
    }

    fn print(&mut self, at: usize, line: &[u8], out: &mut impl Write) -> io::Result<()> {
        let Some(log) = self.logs.get(at) else {
            return Ok(());
        };
        if self.json {
            let (name, location) = (serde_json::json!(log.name), serde_json::json!(log.location));
            write!(out, "{{\"log\":{name},\"location\":{location},\"record\":")?;
            // The stored bytes, as they are: a record is one JSON object.
            out.write_all(line)?;
            return out.write_all(b"}\n");
        }
        let width = self.width;
        if std::mem::take(&mut self.head) {
            writeln!(out, "{:width$}  {}", "log", table::head(self.colours))?;
        }
        writeln!(out, "{:width$}  {}", log.short, table::row(line, self.colours))
    }
}

impl Shown {
    fn new(prefix: &str, location: &str) -> Self {
        let bare = |text: &str| text.split_once('?').map_or(text, |(place, _)| place).trim_end_matches('/').to_owned();
        let whole = bare(location);
        let below = whole.strip_prefix(&bare(prefix)).unwrap_or(&whole).trim_start_matches('/');
        let short = if below.is_empty() { whole.rsplit('/').next().unwrap_or_default() } else { below };
        // The end of a long name tells logs apart.
        let skipped = short.chars().count().saturating_sub(WIDTH);
        let short = safe(&short.chars().skip(skipped).collect::<String>()).into_owned();
        Self { location: location.to_owned(), short, name: None }
    }
}
