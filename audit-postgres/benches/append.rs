//! Appending through the store, side by side with `COPY` by `psql` and with one `INSERT` at a time.
//!
//! Prints one line of JSON. The server is told by environment variables: `AUDIT_BENCH_POSTGRES_PORT`
//! on the loopback address, and `AUDIT_BENCH_POSTGRES_PASSWORD` of the superuser `postgres`. Its
//! settings are the server's own; `fsync` has to be on. `AUDIT_BENCH_RECORDS` records a round, 100,000
//! by default, and `AUDIT_BENCH_ROUNDS` rounds, 5 by default, of which the medians are told.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_core::record::Kind;
use audit_postgres::{Postgres, Role, grants};

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let bench = Bench::from_environment()?;
    if !bench.is_asked_for() {
        println!("{{\"skipped\":\"AUDIT_BENCH_POSTGRES_PORT is not set\"}}");
        return Ok(());
    }
    bench.install()?;
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..bench.rounds {
        rates[0].push(bench.append(round)?);
        rates[1].push(bench.copy(round)?);
        rates[2].push(bench.insert_one_by_one(round)?);
    }
    let [append, copy, insert] = rates.map(median);
    println!(
        "{{\"append_per_s\":{append:.0},\"copy_per_s\":{copy:.0},\"insert_per_s\":{insert:.0},\
         \"append_to_copy\":{:.3},\"append_to_insert\":{:.1},\"records\":{},\"rounds\":{}}}",
        append / copy,
        append / insert,
        bench.records,
        bench.rounds
    );
    Ok(())
}

struct Bench {
    port: String,
    password: String,
    records: usize,
    rounds: usize,
    folder: tempfile::TempDir,
}

impl Bench {
    fn from_environment() -> Result<Self, Failure> {
        let number = |name: &str, default| std::env::var(name).map_or(Ok(default), |text| text.parse());
        Ok(Self {
            port: std::env::var("AUDIT_BENCH_POSTGRES_PORT").unwrap_or_default(),
            password: std::env::var("AUDIT_BENCH_POSTGRES_PASSWORD").unwrap_or_default(),
            records: number("AUDIT_BENCH_RECORDS", 100_000)?,
            rounds: number("AUDIT_BENCH_ROUNDS", 5)?,
            folder: tempfile::tempdir()?,
        })
    }

    /// `cargo test --benches` runs this too, without a server.
    fn is_asked_for(&self) -> bool {
        !self.port.is_empty()
    }

    fn install(&self) -> Result<(), Failure> {
        self.psql("DROP SCHEMA IF EXISTS bench CASCADE")?;
        for (role, user) in [(Role::Administrator, "bench_admin"), (Role::Writer, "bench_login")] {
            let url = format!("postgres://{user}@127.0.0.1/postgres");
            self.psql(&grants(role, &url, &[("schema".to_owned(), "bench".to_owned())])?)?;
        }
        let password = self.password.replace('\'', "''");
        self.psql(&format!("ALTER ROLE bench_login PASSWORD '{password}'"))?;
        self.psql("CREATE TABLE bench.copied (LIKE bench.lines INCLUDING ALL)")?;
        self.psql("CREATE TABLE bench.inserted (LIKE bench.lines INCLUDING ALL)").map(drop)
    }

    fn writer(&self, log: &str) -> Result<Postgres, Failure> {
        let password = self.folder.path().join("password");
        std::fs::write(&password, &self.password)?;
        let url = format!("postgres://bench_login@127.0.0.1:{}/postgres/{log}?schema=bench", self.port);
        let options = [("password_file".to_owned(), password.display().to_string())];
        Ok(Postgres::from_url(&url, &options)?)
    }

    /// Records a second through the store, in batches as a log makes them.
    fn append(&self, round: usize) -> Result<f64, Failure> {
        let batches = batches(self.records);
        let mut writer = self.writer(&format!("round/{round}"))?;
        writer.open(soon())?;
        writer.create(VERIFIER_KEY, soon())?;
        let started = Instant::now();
        for batch in &batches {
            writer.append(batch.before(), &batch.batch(), soon())?;
        }
        Ok(self.records as f64 / started.elapsed().as_secs_f64())
    }

    /// The same rows by `psql`, into a table of the same shape.
    fn copy(&self, round: usize) -> Result<f64, Failure> {
        let file = self.rows(&format!("SELECT * FROM bench.lines WHERE log = 'round/{round}' ORDER BY seq"))?;
        let started = Instant::now();
        self.psql(&format!("\\copy bench.copied from '{}'", file.display()))?;
        Ok(self.records as f64 / started.elapsed().as_secs_f64())
    }

    /// Some of the same rows, each inserted and committed by itself, awaited one after the other.
    fn insert_one_by_one(&self, round: usize) -> Result<f64, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let log = format!("round/{round}");
        runtime.block_on(async {
            let mut config = tokio_postgres::Config::new();
            config.host("127.0.0.1").port(self.port.parse()?).user("postgres").password(&self.password);
            let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            let rows = "SELECT seq, line, time, kind, id::text AS id, actor_type, actor_id, action, resource, result, status, trace
                FROM bench.lines WHERE log = $1 ORDER BY seq LIMIT $2";
            let rows = client.query(rows, &[&log, &INSERTS]).await?;
            let insert = "INSERT INTO bench.inserted VALUES ($1, $2, $3, $4, $5, ($6::text)::uuid, $7, $8, $9, $10, $11, $12, $13)";
            let insert = client.prepare(insert).await?;
            let started = Instant::now();
            for row in &rows {
                let time: std::time::SystemTime = row.get(2);
                let texts: Vec<Option<&str>> = [3, 4, 5, 6, 7, 8, 9, 11].map(|at| row.get(at)).to_vec();
                let (seq, line, status): (i64, &str, Option<i32>) = (row.get(0), row.get(1), row.get(10));
                let [kind, id, actor_type, actor_id, action, resource, result, trace] = &texts[..] else { continue };
                client
                    .execute(
                        &insert,
                        &[
                            &log, &seq, &line, &time, kind, id, actor_type, actor_id, action, resource, result, &status,
                            trace,
                        ],
                    )
                    .await?;
            }
            Ok(rows.len() as f64 / started.elapsed().as_secs_f64())
        })
    }

    fn rows(&self, query: &str) -> Result<PathBuf, Failure> {
        let file = self.folder.path().join("rows");
        self.psql(&format!("\\copy ({query}) to '{}'", file.display()))?;
        Ok(file)
    }

    fn psql(&self, command: &str) -> Result<(), Failure> {
        let program = ["/usr/bin/psql", "/usr/local/bin/psql"].into_iter().find(|path| Path::new(path).is_file());
        let ran = Command::new(program.unwrap_or("psql"))
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-p",
                &self.port,
                "-U",
                "postgres",
                "-c",
                command,
            ])
            .env("PGPASSWORD", &self.password)
            .output()?;
        if ran.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ran.stderr).into_owned().into()) }
    }
}

/// Lines of about 450 bytes, as calls leave them, in batches of up to a mebibyte.
fn batches(records: usize) -> Vec<Sample> {
    let mut batches = Vec::new();
    let (mut head, mut made) = (Head::EMPTY, 0);
    while made < records {
        let mut batch = Sample::after(head);
        while made < records && batch.bytes().len() < (1 << 20) - 512 {
            let members = format!(
                r#""id":"0193580e-5f1a-7aaa-bbbb-{made:012x}","actor":{{"type":"service_account","id":"system:serviceaccount:payments:settler","issuer":"https://kubernetes.default.svc","auth":"jwt","verified":true}},"action":"POST /v1/refunds/{{id}}","resource":"/v1/refunds/{made}","source":{{"ip":"10.0.0.7"}},"policy":"default""#
            );
            batch = batch.line(Kind::Intent, &members);
            made += 1;
        }
        head = batch.head();
        batches.push(batch);
    }
    batches
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(0.0)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// How many rows are inserted one by one in a round.
const INSERTS: i64 = 500;
