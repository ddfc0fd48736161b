//! `audit query`

mod fleet;

use std::io::Write as _;

use audit_core::record::Record;
use audit_core::verify::{Lines, LogReader, Query};

use crate::arguments;
use crate::ending::{Ending, Failure};
use crate::output::{Reader, still_there};
use crate::tail::Printer;
use crate::{location, times};

pub(crate) fn run(arguments: &arguments::Query, json: bool) -> Result<Ending, Failure> {
    let query = query(arguments)?;
    let (section, _) = arguments.place.stores()?;
    let unreadable = match section.logs()?.as_slice() {
        [log] if location::is_itself(&section, log) => one(&*section.reader()?, query, json)?,
        logs => fleet::run(&section, logs, &query, json)?,
    };
    if unreadable > 0 {
        return Err(Failure::new(format!(
            "{unreadable} lines are no records and were passed over; see `audit verify`"
        )));
    }
    Ok(Ending::AsItShouldBe)
}

/// Searches one log. Returns how many lines are no records; 0 for a reader who has gone.
fn one(log: &dyn LogReader, query: Query, json: bool) -> Result<u64, Failure> {
    let mut search = query.search();
    let mut printer = Printer::new(json);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut printed = Ok(());
    let mut lines = Lines::from(log, 0)?;
    let mut unreadable = 0_u64;
    while let Some(line) = lines.next_line()? {
        match Record::parse(line) {
            Ok(record) => search.next(&record, |line| {
                if printed.is_ok() {
                    printed = printer.print(line, &mut out);
                }
            }),
            Err(_) => unreadable += 1,
        }
        if still_there(std::mem::replace(&mut printed, Ok(())))? == Reader::Gone {
            return Ok(0);
        }
    }
    search.finish(|line| {
        if printed.is_ok() {
            printed = printer.print(line, &mut out);
        }
    });
    still_there(printed.and_then(|()| out.flush()))?;
    Ok(unreadable)
}

fn query(arguments: &arguments::Query) -> Result<Query, Failure> {
    let mut query = Query::new();
    if let Some(actor) = &arguments.actor {
        query = query.actor(actor);
    }
    if let Some(action) = &arguments.action {
        query = query.action(action);
    }
    if let Some(result) = &arguments.result {
        query = query.result(result);
    }
    if let Some(trace) = &arguments.trace {
        query = query.trace(trace);
    }
    if let Some(since) = times::micros(arguments.since.as_deref())? {
        query = query.since(since);
    }
    if let Some(until) = times::micros(arguments.until.as_deref())? {
        query = query.until(until);
    }
    Ok(query)
}
