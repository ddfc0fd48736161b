//! Reading what is there: heads, lines, checkpoints.

use std::ops::Range;
use std::time::Instant;

use audit_core::backend::{BackendError, Head};
use audit_core::evidence::Hash;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::server::Server;

/// One log in one schema of one server.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) server: Server,
    pub(crate) schema: String,
    pub(crate) name: String,
}

/// The row that says where a log ends.
#[derive(Clone, Debug)]
pub(crate) struct HeadRow {
    pub(crate) head: Head,
    pub(crate) verifier_key: String,
    /// The greatest number that a row of the log has.
    pub(crate) last_row: Option<u64>,
    /// Whether this role may write the log.
    pub(crate) is_writer: bool,
    /// The role to which the log belongs.
    pub(crate) writer: String,
}

/// A checkpoint as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) size: u64,
    pub(crate) note: Vec<u8>,
    pub(crate) peaks: Vec<u8>,
}

impl Log {
    /// The head row, in one snapshot with the last line; `None` if there is no such log.
    pub(crate) fn head_row(&self, deadline: Instant) -> Result<Option<HeadRow>, BackendError> {
        let schema = &self.schema;
        let statement = format!(
            "SELECT next_seq, last_leaf, verifier_key, writer::text,
               (SELECT max(seq) FROM {schema}.lines WHERE lines.log = heads.log),
               EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = heads.writer
                 AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER'))
             FROM {schema}.heads WHERE log = $1"
        );
        let rows = self.server.read("reading the head", deadline, &statement, &[(&self.name, Type::TEXT)])?;
        rows.first().map(|row| head_row(row).ok_or_else(|| self.unreadable("the head row"))).transpose()
    }

    /// Waits until no append that an earlier writer left behind is on its way in the server.
    pub(crate) fn wait_for_appends(&self, deadline: Instant) -> Result<(), BackendError> {
        let statement = format!("SELECT {}.wait_for_appends($1)", self.schema);
        let waited = self.server.read("waiting for earlier appends", deadline, &statement, &[(&self.name, Type::TEXT)]);
        waited.map(drop)
    }

    /// Which log in which database this is, however it is reached.
    pub(crate) fn place(&self, deadline: Instant) -> Result<String, BackendError> {
        const DOING: &str = "asking which installation it is";
        let statement = format!(
            "SELECT i.id::text, d.oid, pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
             FROM {}.installation i, pg_catalog.pg_database d WHERE d.datname = current_database()",
            self.schema
        );
        let rows = self.server.read(DOING, deadline, &statement, &[])?;
        let parts = rows.first().and_then(|row| {
            Some((row.try_get::<_, String>(0).ok()?, row.try_get::<_, u32>(1).ok()?, row.try_get::<_, bool>(2).ok()?))
        });
        let Some((installation, database, may_ask)) = parts else {
            return Err(self.unreadable("the table installation"));
        };
        // A dump that was restored elsewhere has the same installation.
        let cluster = if may_ask {
            self.server.read(DOING, deadline, "SELECT system_identifier FROM pg_catalog.pg_control_system()", &[])?
        } else {
            Vec::new()
        };
        let cluster: i64 = cluster.first().and_then(|row| row.try_get(0).ok()).unwrap_or(0);
        Ok(format!("postgres:{installation}/{cluster}/{database}/{}", self.name))
    }

    /// The head alone: what is asked most often.
    pub(crate) fn head(&self, deadline: Instant) -> Result<Head, BackendError> {
        let statement = format!("SELECT next_seq, last_leaf FROM {}.heads WHERE log = $1", self.schema);
        let rows = self.server.read("reading the head", deadline, &statement, &[(&self.name, Type::TEXT)])?;
        let Some(row) = rows.first() else {
            return Err(self.vanished());
        };
        head(row).ok_or_else(|| self.unreadable("the head row"))
    }

    /// The greatest number that a row of the log has, whatever the head row says.
    pub(crate) fn last_row(&self, deadline: Instant) -> Result<Option<u64>, BackendError> {
        let statement = format!("SELECT max(seq) FROM {}.lines WHERE log = $1", self.schema);
        let rows = self.server.read("reading the last row", deadline, &statement, &[(&self.name, Type::TEXT)])?;
        let last = rows.first().and_then(|row| row.try_get::<_, Option<i64>>(0).ok().flatten());
        Ok(last.and_then(|seq| u64::try_from(seq).ok()))
    }

    /// Whole lines in a row from `range.start` on, about a mebibyte of them. A row that is not one line
    /// is tampering.
    pub(crate) fn lines(&self, range: &Range<u64>, deadline: Instant) -> Result<Vec<u8>, BackendError> {
        let mut bytes = Vec::new();
        for (expected, (seq, line)) in (range.start..).zip(self.line_rows(range, READ, deadline)?) {
            if seq != expected {
                break;
            }
            if !is_one_line(&line) {
                return Err(BackendError::Tampered {
                    seq: Some(seq),
                    detail: format!("row {seq} of {} holds a line feed, or more than a line may", self.name),
                });
            }
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    /// The rows of a range that are there, in order, about `bytes` of them and at least one. Of a line
    /// that is too long only as much as shows that.
    pub(crate) fn line_rows(
        &self,
        range: &Range<u64>,
        bytes: u32,
        deadline: Instant,
    ) -> Result<Vec<(u64, String)>, BackendError> {
        let (Ok(start), end) = (i64::try_from(range.start), i64::try_from(range.end).unwrap_or(i64::MAX)) else {
            return Ok(Vec::new());
        };
        if start >= end {
            return Ok(Vec::new());
        }
        // The sum stops the answer, not the scan: the inner limit bounds that.
        let statement = format!(
            "SELECT seq, CASE WHEN octet_length(line) > {LINE} THEN left(line, {LINE} + 1) ELSE line END FROM (
               SELECT seq, line, sum(octet_length(line) + 1) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS number
               FROM (SELECT seq, line FROM {}.lines WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq LIMIT $4) AS near
             ) AS counted WHERE total <= $5 OR number = 1 ORDER BY seq",
            self.schema
        );
        let (rows, total) = (i64::from(bytes) / SHORT_LINE, i64::from(bytes));
        let rows = self.server.read(
            "reading lines",
            deadline,
            &statement,
            &[
                (&self.name, Type::TEXT),
                (&start, Type::INT8),
                (&end, Type::INT8),
                (&rows, Type::INT8),
                (&total, Type::INT8),
            ],
        )?;
        rows.iter()
            .map(|row| {
                let seq = row.try_get::<_, i64>(0).ok().and_then(|seq| u64::try_from(seq).ok());
                seq.zip(row.try_get(1).ok()).ok_or_else(|| self.unreadable("a line"))
            })
            .collect()
    }

    /// The newest checkpoint, if there is one.
    pub(crate) fn newest_checkpoint(&self, deadline: Instant) -> Result<Option<Kept>, BackendError> {
        let statement = format!(
            "SELECT size, note, peaks FROM {}.checkpoints WHERE log = $1 ORDER BY size DESC, id DESC LIMIT 1",
            self.schema
        );
        let rows =
            self.server.read("reading the newest checkpoint", deadline, &statement, &[(&self.name, Type::TEXT)])?;
        rows.first().map(|row| kept(row).ok_or_else(|| self.unreadable("a checkpoint"))).transpose()
    }

    /// The log is not there any more.
    pub(crate) fn vanished(&self) -> BackendError {
        BackendError::Tampered {
            seq: None,
            detail: format!("the head row of the log {} in {} is gone", self.name, self.server.place),
        }
    }

    fn unreadable(&self, what: &str) -> BackendError {
        BackendError::Misconfigured {
            detail: format!(
                "{what} in the schema {} of {} has other columns than it should",
                self.schema, self.server.place
            ),
        }
    }
}

/// Whether a row holds what a line may be.
pub(crate) fn is_one_line(line: &str) -> bool {
    line.len() <= LINE && !line.contains('\n')
}

pub(crate) fn head(row: &Row) -> Option<Head> {
    let size = row.try_get::<_, i64>(0).ok().and_then(|size| u64::try_from(size).ok())?;
    let leaf = row.try_get::<_, Vec<u8>>(1).ok().and_then(|leaf| <[u8; 32]>::try_from(leaf).ok())?;
    Some(Head { size, leaf: Hash::from_bytes(leaf) })
}

fn head_row(row: &Row) -> Option<HeadRow> {
    Some(HeadRow {
        head: head(row)?,
        verifier_key: row.try_get(2).ok()?,
        writer: row.try_get(3).ok()?,
        last_row: row.try_get::<_, Option<i64>>(4).ok()?.and_then(|seq| u64::try_from(seq).ok()),
        is_writer: row.try_get(5).ok()?,
    })
}

fn kept(row: &Row) -> Option<Kept> {
    Some(Kept {
        size: row.try_get::<_, i64>(0).ok().and_then(|size| u64::try_from(size).ok())?,
        note: row.try_get::<_, String>(1).ok()?.into_bytes(),
        peaks: row.try_get(2).ok()?,
    })
}

/// The longest line, without its line feed.
pub(crate) const LINE: usize = 65_535;

/// About as much as one read of a writer or a replica returns.
const READ: u32 = 1 << 20;

/// No line is much shorter, so that a limit on rows never returns less than a limit on bytes.
const SHORT_LINE: i64 = 150;
