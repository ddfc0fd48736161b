use std::time::{Duration, Instant};

use audit_core::backend::BackendError;
use audit_core::evidence::{CompactRange, leaf_hash};
use audit_core::verify::{Class, Finding, FindingKind, LineSource, LogReader, Piece, ReadError};
use tokio_postgres::types::Type;

use crate::comparison;
use crate::rows::Log;
use crate::server::Server;
use crate::settings::Settings;

/// Reads a log with the rights of a reader. Changes nothing, and works beside a writer.
///
/// Calls block, each for at most the option `read_timeout`. Inside of an async runtime they fail:
/// make them on a thread of their own.
#[derive(Debug)]
pub struct PostgresReader {
    log: Log,
    patience: Duration,
}

impl PostgresReader {
    /// A reader of the log that `url` names; URL and options as for
    /// [`Postgres::from_url`](crate::Postgres::from_url). Connects at once, and starts a thread.
    ///
    /// # Errors
    ///
    /// [`ReadError::NotALog`] when the URL cannot be used, or there is no such log;
    /// [`ReadError::Unavailable`] when the server does not answer or does not let this role read.
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, ReadError> {
        let settings =
            Settings::of_log(url, options).map_err(|error| ReadError::NotALog { detail: error.to_string() })?;
        let server = connect(&settings)?;
        let log = Log { server, schema: settings.schema, name: settings.location.log };
        let reader = Self { log, patience: settings.read_timeout };
        let deadline = reader.deadline();
        let head = reader.log.head_row(deadline).map_err(|error| failed("reading the head", error))?;
        // Rows without a head row are evidence that somebody has been there, and are read.
        let last = reader.log.last_row(deadline).map_err(|error| failed("reading the last row", error))?;
        if head.is_some() || last.is_some() {
            return Ok(reader);
        }
        let (name, schema, place) = (&reader.log.name, &reader.log.schema, &reader.log.server.place);
        Err(ReadError::NotALog { detail: format!("there is no log {name} in the schema {schema} of {place}") })
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.patience
    }
}

impl LogReader for PostgresReader {
    fn verifier_key(&self) -> Result<Option<Vec<u8>>, ReadError> {
        let row = self.log.head_row(self.deadline()).map_err(|error| failed("reading the verifier key", error))?;
        Ok(row.map(|row| row.verifier_key.into_bytes()))
    }

    fn checkpoint(&self) -> Result<Option<Vec<u8>>, ReadError> {
        let kept = self.log.newest_checkpoint(self.deadline());
        Ok(kept.map_err(|error| failed("reading the newest checkpoint", error))?.map(|kept| kept.note))
    }

    /// At most about a thousand, evenly spread: a log has one for each second in which it grew.
    fn kept_checkpoints(&self) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        const DOING: &str = "reading kept checkpoints";
        let statement = format!(
            "SELECT size, id, note FROM (
               SELECT size, id, note, row_number() OVER (ORDER BY size, id) AS number, count(*) OVER () AS total
               FROM {}.checkpoints WHERE log = $1) AS counted
             WHERE number % greatest(1, total / $2) = 0 ORDER BY size, id",
            self.log.schema
        );
        let rows = self.log.server.read(
            DOING,
            self.deadline(),
            &statement,
            &[(&self.log.name, Type::TEXT), (&KEPT, Type::INT8)],
        );
        let rows = rows.map_err(|error| failed(DOING, error))?;
        let named = rows.iter().map(|row| {
            let (size, id) = (row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?);
            Ok((format!("checkpoints/{size}/{id}"), row.try_get::<_, String>(2)?.into_bytes()))
        });
        named.collect::<Result<_, tokio_postgres::Error>>().map_err(|error| ReadError::unavailable(DOING, error))
    }

    fn lines(&self, from: u64) -> Result<Box<dyn LineSource>, ReadError> {
        Ok(Box::new(Rows { log: self.log.clone(), patience: self.patience, next: from, bytes: Vec::new(), given: 0 }))
    }

    fn size(&self) -> Result<u64, ReadError> {
        let last = self.log.last_row(self.deadline()).map_err(|error| failed("reading the last row", error))?;
        Ok(last.map_or(0, |last| last + 1))
    }

    fn compact_range(&self, size: u64) -> Result<Option<CompactRange>, ReadError> {
        const DOING: &str = "reading a compact range";
        let statement = format!(
            "SELECT peaks FROM {}.checkpoints WHERE log = $1 AND size = $2 ORDER BY id DESC LIMIT 1",
            self.log.schema
        );
        let Ok(wanted) = i64::try_from(size) else {
            return Ok(None);
        };
        let rows = self.log.server.read(
            DOING,
            self.deadline(),
            &statement,
            &[(&self.log.name, Type::TEXT), (&wanted, Type::INT8)],
        );
        let rows = rows.map_err(|error| failed(DOING, error))?;
        let peaks = rows.first().and_then(|row| row.try_get::<_, Vec<u8>>(0).ok());
        Ok(peaks.and_then(|peaks| CompactRange::from_bytes(size, &peaks).ok()))
    }

    /// Compares the head row with the rows, and the columns of the newest 65,536 lines with the lines.
    fn inspect(&self) -> Result<Vec<Finding>, ReadError> {
        let row = self.log.head_row(self.deadline()).map_err(|error| failed("reading the head", error))?;
        let Some(row) = row else {
            return Ok(vec![Finding::new(FindingKind::Hidden, "the head row of the log is gone")]);
        };
        let mut findings = Vec::new();
        let rows = row.last_row.map_or(0, |last| last + 1);
        if rows < row.head.size {
            let detail = format!("the head row says {} lines, the rows end at {rows}", row.head.size);
            findings.push(Finding::new(FindingKind::Hidden, detail).range(rows, row.head.size - 1));
        } else if rows > row.head.size {
            let detail =
                "rows stand behind the end that the head row names: they were not appended by the log's function";
            findings.push(Finding::new(FindingKind::Inserted, detail).range(row.head.size, rows - 1));
        } else if let Some(last) = row.last_row {
            let lines = self.log.line_rows(&(last..rows), 1, self.deadline());
            let lines = lines.map_err(|error| failed("reading the last line", error))?;
            if lines.first().is_some_and(|(_, line)| leaf_hash(line.as_bytes()) != row.head.leaf) {
                let detail = "the last line is not the one whose hash the head row has";
                findings.push(Finding::new(FindingKind::Edited, detail).at(last));
            }
        }
        let newest = rows.saturating_sub(COMPARED)..rows;
        let contradictions = comparison::contradictions(&self.log, newest, self.patience);
        for (seq, detail) in contradictions.map_err(|error| failed("comparing columns with lines", error))? {
            findings.push(Finding::new(FindingKind::Edited, detail).at(seq).class(Class::Warning));
        }
        Ok(findings)
    }
}

/// The lines of all rows from one number on, in order.
#[derive(Debug)]
struct Rows {
    log: Log,
    patience: Duration,
    next: u64,
    /// Lines that were read, and how much of them has been handed on.
    bytes: Vec<u8>,
    given: usize,
}

impl LineSource for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> Result<Piece, ReadError> {
        if self.given == self.bytes.len() {
            self.bytes.clear();
            self.given = 0;
            let rows = self.log.line_rows(&(self.next..u64::MAX), CHUNK, Instant::now() + self.patience);
            for (seq, line) in rows.map_err(|error| failed("reading lines", error))? {
                // A row is one line, whatever it holds. No text of PostgreSQL has a NUL, and no record, so that
                // one in place of a line feed is seen.
                self.bytes.extend(line.bytes().map(|byte| if byte == b'\n' { 0 } else { byte }));
                self.bytes.push(b'\n');
                self.next = seq + 1;
            }
        }
        let rest = self.bytes.get(self.given..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(Piece::End);
        }
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(Piece::Bytes(count))
    }
}

/// The URLs of all logs whose names start with the segments that `url` has behind the database; of
/// all logs in the schema if it has none; of itself if it is a log. Sorted by name.
///
/// Blocks for at most the option `read_timeout`.
///
/// # Errors
///
/// As for [`PostgresReader::from_url`].
pub fn logs(url: &str, options: &[(String, String)]) -> Result<Vec<String>, ReadError> {
    const DOING: &str = "listing logs";
    let settings = Settings::new(url, options).map_err(|error| ReadError::NotALog { detail: error.to_string() })?;
    let server = connect(&settings)?;
    let statement = format!(
        "SELECT log FROM {0}.heads WHERE log = $1
           OR (($1 = '' OR starts_with(log, $1 || '/')) AND NOT EXISTS (SELECT FROM {0}.heads WHERE log = $1))
         ORDER BY log",
        settings.schema
    );
    let deadline = Instant::now() + settings.read_timeout;
    let rows = server.read(DOING, deadline, &statement, &[(&settings.location.log, Type::TEXT)]);
    let rows = rows.map_err(|error| failed(DOING, error))?;
    Ok(rows
        .iter()
        .filter_map(|row| row.try_get::<_, String>(0).ok())
        .map(|log| settings.location.url_of(&log))
        .collect())
}

fn connect(settings: &Settings) -> Result<Server, ReadError> {
    const DOING: &str = "connecting to PostgreSQL";
    let server = Server::new(settings).map_err(|error| failed(DOING, error))?;
    server.greet(Instant::now() + settings.read_timeout).map_err(|error| failed(DOING, error))?;
    Ok(server)
}

fn failed(doing: &str, error: BackendError) -> ReadError {
    match error {
        // What it was doing is said once.
        BackendError::Unavailable { source, .. } => ReadError::Unavailable { doing: doing.to_owned(), source },
        other => ReadError::unavailable(doing, other),
    }
}

/// How much is read of the log at once.
const CHUNK: u32 = 4 << 20;

/// About how many checkpoints a verifier gets, besides the newest.
const KEPT: i64 = 1_000;

/// How many of the newest lines `inspect` compares with their columns.
const COMPARED: u64 = 65_536;
