//! How long this disk takes to make a group of records durable.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

use crate::bench::{Bench, median};
use crate::command::Result;

/// The median time, in milliseconds, of appending what 256 calls write and syncing it.
pub(crate) fn group_commit(bench: &Bench) -> Result<f64> {
    let path = bench.place("disk");
    let mut file = File::options().create(true).append(true).open(&path)?;
    let group = vec![b'.'; 256 * 2 * 400];
    let mut times = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        file.write_all(&group)?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    std::fs::remove_file(path)?;
    Ok(median(times))
}
