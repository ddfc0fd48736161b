use std::time::{Duration, Instant};

use real_servers::{Ceph, CephStore};

use crate::bucket::Bucket;
use crate::evidence::{assert_in_time, assert_whole, options, records, section};
use crate::jetstream::Stream;
use crate::load::Load;
use crate::postgres::Database;
use crate::service::Service;

const DEADLINE: Duration = Duration::from_secs(1);

/// How much more memory an outage may cost: what one batch and the buffers of its connection take.
const OUTAGE_KIB: u64 = 96 << 10;

#[test]
fn three_kinds_of_replicas_are_killed_under_load_and_caught_up_and_no_caller_notices() {
    let (mut database, mut stream) = (Database::start(), Stream::that_syncs());
    let mut ceph = Ceph::start(CephStore::Disk).unwrap();
    let owner = ceph.owner().clone();
    let bucket = Bucket::make(&ceph.endpoint(), &owner.access_key, &owner.secret_key);
    let config = [
        section("[primary]", "FOLDER/log", &options(&[])),
        section("[[replica]]\nname = \"rows\"", &database.url("writer"), &database.options()),
        section("[[replica]]\nname = \"messages\"", &stream.url(), &stream.syncing_options()),
        section("[[replica]]\nname = \"objects\"\nlag_records = 100", &bucket.url(), &bucket.detecting_options()),
    ];
    let mut service = Service::start(&config.concat(), "deadline = \"1s\"");
    let load = Load::on(service.address());
    load.until_succeeded(500);
    database.server.kill();
    stream.servers.kill(0);
    ceph.kill_everything();
    let before = service.resident_kib();
    load.until_succeeded(2_000);
    std::thread::sleep(DEADLINE * 2);
    let grown = service.resident_kib().saturating_sub(before);
    assert!(grown < OUTAGE_KIB, "the outage costs {grown} KiB");
    database.server.restart().unwrap();
    stream.servers.restart(0).unwrap();
    ceph.restart().unwrap();
    load.until_succeeded(500);
    let answers = load.stop();
    // Replicas come back within the longest wait between two attempts.
    await_caught_up(&service);
    service.stop();
    assert_in_time(&answers, DEADLINE);
    assert_eq!(answers.refused, 0, "a dead replica is nobody's business who did not ask for copies");

    let here = service.place("log").display().to_string();
    let primary = assert_whole(&here, &options(&[]), &service, &answers);
    for (url, options) in [
        (database.url("reader"), database.options()),
        (stream.url(), stream.options()),
        (bucket.url(), bucket.detecting_options()),
    ] {
        let copy = assert_whole(&url, &options, &service, &answers);
        assert_eq!((copy.root, copy.records), (primary.root, primary.records), "{url}");
    }
    let alerts: Vec<_> = records(&here, &options(&[])).into_iter().filter(|record| record["kind"] == "alert").collect();
    assert!(alerts.iter().any(|alert| alert["store"] == "objects" && alert["lag_records"].is_u64()), "{alerts:?}");
}

#[test]
fn a_service_starts_without_its_replica_and_signs_once_it_has_seen_it() {
    let mut database = Database::start();
    database.server.kill();
    let config = section("[primary]", "FOLDER/log", &options(&[]))
        + &section("[[replica]]\nname = \"rows\"", &database.url("writer"), &database.options());
    let mut service = Service::start(&config, "deadline = \"1s\"");
    let load = Load::on(service.address());
    load.until_succeeded(200);
    assert_eq!(signed(&service), 0, "something was signed that no replica was asked about");
    database.server.restart().unwrap();
    await_caught_up(&service);
    load.until_succeeded(50);
    let answers = load.stop();
    service.stop();
    assert_in_time(&answers, DEADLINE);
    assert_eq!(answers.refused, 0);
    let here = assert_whole(&service.place("log").display().to_string(), &options(&[]), &service, &answers);
    let there = assert_whole(&database.url("reader"), &database.options(), &service, &answers);
    assert_eq!(here.root, there.root);
}

/// The size of the newest checkpoint on disk.
fn signed(service: &Service) -> u64 {
    let checkpoint = std::fs::read_to_string(service.place("log/checkpoint")).unwrap();
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

/// Waits until something is signed again: that takes replicas which have been compared. A replica that
/// was compared before is caught up when the service stops, which waits for it.
fn await_caught_up(service: &Service) {
    let started = Instant::now();
    while signed(service) == 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "the log is not signed");
        std::thread::sleep(Duration::from_millis(50));
    }
}
