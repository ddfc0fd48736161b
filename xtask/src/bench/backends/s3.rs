//! Objects in S3, against the same PUTs by the bare SDK.

use std::process::Command;

use crate::bench::backends::Bench;
use crate::bench::backends::programs::{figure, figures};
use crate::bench::row::{Row, Table};
use crate::bench::say;
use crate::command::Result;

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    say("S3");
    let [ours, sdk, ratio] = put(bench, 0)?;
    table.push(Row::new("s3", "S3 with conditional writes (moto), one batch of 64 KiB", ours).unit("ms"));
    table.push(Row::new("s3_sdk", "the same PUT by the bare SDK", sdk).unit("ms"));
    table.push(Row::new("s3_to_sdk", "S3, to the bare SDK", ratio).at_most(1.2, 1.05));
    // Not a primary, so there is no budget: it lists versions before it acknowledges.
    let [ours, sdk, ratio] = put(bench, 1)?;
    table.push(Row::new("s3_detecting", "S3 without them (Ceph), one batch of 64 KiB", ours).unit("ms"));
    table.push(Row::new("s3_detecting_sdk", "the same PUT by the bare SDK, without looking after", sdk).unit("ms"));
    table.push(Row::new("s3_detecting_to_sdk", "S3 without conditional writes, to the bare SDK", ratio));
    Ok(())
}

/// The median milliseconds of one batch, of one bare PUT, and the ratio of all of them.
fn put(bench: &Bench, store: usize) -> Result<[f64; 3]> {
    let mut append = Command::new(&bench.programs.s3);
    append.arg("--bench").env("S3_URL", bench.store("s3.toml", store, "measured")?);
    append.env("S3_BATCHES", if bench.quick { "100" } else { "400" });
    let seen = figures(&mut append)?;
    let seen = seen.first().ok_or("no figures")?;
    Ok([figure(&seen["append"], "median_ms"), figure(&seen["sdk"], "median_ms"), figure(seen, "ratio")])
}
