//! Rows in PostgreSQL, against `COPY` by `psql` and against one `INSERT` at a time.

use std::process::Command;

use crate::bench::backends::Bench;
use crate::bench::backends::programs::{figure, figures};
use crate::bench::row::{Row, Table};
use crate::bench::say;
use crate::command::Result;

pub(crate) fn measure(bench: &Bench, table: &mut Table) -> Result {
    say("PostgreSQL");
    let mut append = Command::new(&bench.programs.postgres);
    append.env("AUDIT_BENCH_POSTGRES_PORT", bench.kept("postgres_port")?);
    append.env("AUDIT_BENCH_POSTGRES_PASSWORD", bench.written("postgres.password")?);
    append.env("AUDIT_BENCH_ROUNDS", if bench.quick { "3" } else { "7" });
    for seen in figures(&mut append)? {
        for (name, what, rate) in [
            ("postgres", "PostgreSQL, records appended", "append_per_s"),
            ("postgres_copy", "the same rows by `COPY` of psql", "copy_per_s"),
            ("postgres_insert", "the same rows by one awaited INSERT each", "insert_per_s"),
        ] {
            table.push(Row::new(name, what, figure(&seen, rate)).unit("/s"));
        }
        let to_copy = figure(&seen, "append_to_copy");
        table.push(Row::new("postgres_to_copy", "PostgreSQL, to COPY", to_copy).at_least(0.6, 0.8));
        let to_insert = figure(&seen, "append_to_insert");
        table.push(Row::new("postgres_to_insert", "PostgreSQL, to INSERTs", to_insert).at_least(20.0, 40.0));
    }
    Ok(())
}
