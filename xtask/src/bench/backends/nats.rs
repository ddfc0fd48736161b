//! Batches in JetStream, against a plain client that publishes the same ones in a pipeline.

use std::process::Command;

use crate::bench::backends::Bench;
use crate::bench::backends::programs::{figure, figures};
use crate::bench::row::{Row, Table};
use crate::bench::say;
use crate::command::Result;

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    say("JetStream");
    let mut append = Command::new(&bench.programs.nats);
    append.env("AUDIT_NATS_URL", bench.kept("open_nats")?);
    append.env("AUDIT_NATS_ROUNDS", if bench.quick { "3" } else { "7" });
    for seen in figures(&mut append)? {
        let bytes = figure(&seen, "batch_bytes");
        let names = SIZES.iter().find(|size| size.bytes == bytes);
        let size = names.ok_or_else(|| format!("batches of {bytes} bytes are measured and not known here"))?;
        let shown = format!("{:.0} KiB", bytes / 1024.0);
        let what = format!("JetStream, one node, records in batches of {shown}");
        table.push(Row::new(size.ours, what, figure(&seen, "append_records_s")).unit("/s"));
        let what = "the same batches published by a plain client, 64 on their way";
        table.push(Row::new(size.plain, what, figure(&seen, "plain_records_s")).unit("/s"));
        let row = Row::new(size.ratio, format!("JetStream, to plain publishing, {shown}"), figure(&seen, "ratio"));
        // A log with little to do makes small batches, one after the other, and needs no pipeline.
        table.push(if bytes < BUSY { row } else { row.at_least(0.7, 0.9) });
    }
    Ok(())
}

/// What the rows of one size of batch are called.
struct Size {
    bytes: f64,
    ours: &'static str,
    plain: &'static str,
    ratio: &'static str,
}

const SIZES: [Size; 3] = [
    Size { bytes: 16_384.0, ours: "nats_16k", plain: "nats_plain_16k", ratio: "nats_to_plain_16k" },
    Size { bytes: 131_072.0, ours: "nats_128k", plain: "nats_plain_128k", ratio: "nats_to_plain_128k" },
    Size { bytes: 524_288.0, ours: "nats_512k", plain: "nats_plain_512k", ratio: "nats_to_plain_512k" },
];

/// The batches of a log that is saturated: as much as one message takes.
const BUSY: f64 = 524_288.0;
