//! A whole log on a stream, while servers die and settings change.

mod support;

use std::time::{Duration, Instant};

use audit_core::evidence::Hash;
use audit_core::record::line::leaf;
use audit_core::record::{Kind, Record};
use audit_core::verify::{Lines, LogReader as _, Verifier};
use audit_core::{AuditLog, Event, Key, Outcome, Policy, Receipt};
use real_servers::NatsSetup;
use support::admin::Admin;
use support::{ORIGIN, PATIENCE, Place, Result};

/// How long a caller waits before the call is refused, and how much later it may be told on a busy machine.
const DEADLINE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));

const POLICY: &str = "[[rule]]\nname = \"money\"\ndurability = \"synced\"\non_failure = \"deny\"\ndeadline = \"1s\"\n";

fn open(place: &Place, key: &Key) -> Result<AuditLog> {
    let builder = AuditLog::builder(ORIGIN).key(key.clone()).policy(Policy::from_toml(POLICY)?);
    let builder = builder.tune(|limits| {
        limits.inspect_interval = Duration::from_millis(100);
        limits.backend_timeout = Duration::from_secs(2);
    });
    Ok(builder.backend(place.log("log")?.sync_always(true)).open()?)
}

/// The leaf hash of every line, and how many lines are of `kind`.
fn read(place: &Place, kind: Kind) -> Result<(Vec<Hash>, usize)> {
    let reader = place.reader("log")?;
    let mut lines = Lines::new(reader.lines(0)?);
    let (mut leaves, mut of_kind) = (Vec::new(), 0);
    while let Some(line) = lines.next_line()? {
        leaves.push(leaf(line));
        of_kind += usize::from(Record::parse(line)?.kind() == Some(kind));
    }
    Ok((leaves, of_kind))
}

#[test]
fn calls_are_answered_in_time_and_receipts_hold_while_the_server_is_killed_and_comes_back() -> Result {
    let mut servers = NatsSetup::newest()?.sync_always().start()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let log = open(&place, &Key::generate(ORIGIN)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (log, ended) = (log.clone(), std::sync::Arc::clone(&ended));
            runtime.spawn(async move {
                let (mut receipts, mut refused): (Vec<Receipt>, usize) = (Vec::new(), 0);
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    let started = Instant::now();
                    let begun = log.begin(&Event::action("POST /v1/refunds/{id}")).await;
                    assert!(started.elapsed() < DEADLINE.1, "a call took {:?}", started.elapsed());
                    match begun {
                        Ok(activity) => {
                            receipts.extend(activity.receipt());
                            activity.finish(Outcome::http(201));
                        }
                        Err(_) => refused += 1,
                    }
                }
                (receipts, refused)
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(400));
    servers.kill(0);
    // Longer than callers wait.
    std::thread::sleep(DEADLINE.0 + Duration::from_millis(500));
    servers.restart(0)?;
    std::thread::sleep(Duration::from_secs(2));
    ended.store(true, std::sync::atomic::Ordering::Relaxed);
    let (mut receipts, mut refused) = (Vec::new(), 0);
    for caller in callers {
        let (theirs, more) = runtime.block_on(caller)?;
        receipts.extend(theirs);
        refused += more;
    }
    runtime.block_on(log.close(PATIENCE))?;

    assert!(refused > 0, "nobody noticed that the server was gone");
    let (leaves, gaps) = read(&place, Kind::Gap)?;
    for receipt in &receipts {
        let stored = usize::try_from(receipt.seq).ok().and_then(|seq| leaves.get(seq));
        assert_eq!(stored, Some(&receipt.leaf), "the record of a receipt is not there");
    }
    assert!(gaps > 0, "the refused calls are not in the log");
    let after = receipts.iter().filter(|receipt| receipt.seq as usize > leaves.len() / 2).count();
    assert!(after > 0, "the log did not go on");
    let verdict = Verifier::new().run(&place.reader("log")?);
    assert_eq!(verdict.exit_code(), 0, "{}", verdict.to_json());
    Ok(())
}

#[test]
fn a_setting_that_changes_while_the_log_runs_is_an_alert_in_it() -> Result {
    let servers = NatsSetup::newest()?.sync_always().start()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let log = open(&place, &Key::generate(ORIGIN)?)?;
    Admin::connect(&servers.addresses())?.update(&place.stream, &[("max_age", 86_400_000_000_000_u64.into())])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = real_servers::wait_until(PATIENCE, || {
        // An alert goes with the next record.
        let recorded = runtime.block_on(log.record(&Event::action("tick")));
        recorded.is_ok() && read(&place, Kind::Alert).is_ok_and(|(_, alerts)| alerts > 0)
    });
    assert!(told, "no alert");
    runtime.block_on(log.close(PATIENCE))?;
    let (_, alerts) = read(&place, Kind::Alert)?;
    assert_eq!(alerts, 1, "it is told once");
    Ok(())
}
