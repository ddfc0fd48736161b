//! Three servers with TLS between them and to their clients: one may die at any time.

mod support;

use std::time::{Duration, Instant};

use audit_core::Key;
use audit_core::backend::{Backend as _, Durability, Head};
use audit_core::conformance::Sample;
use audit_core::verify::Verifier;
use real_servers::{NatsCertificates, NatsSetup};
use support::{ORIGIN, Place, Result, options, soon, write_log};

/// The longest that one call may take, and how much later it may end on a busy machine.
const DEADLINE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(3));

/// Three servers that speak TLS only, and to those only who show a certificate.
fn cluster(setup: NatsSetup) -> Result<(real_servers::Nats, Place, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let certificates = NatsCertificates::create(folder.path())?;
    let client = certificates.issue("writer")?;
    let servers = setup.cluster().tls(&certificates, certificates.issue("server")?, true).start()?;
    let mut place = Place::of(&servers.addresses());
    place.servers = place.servers.replace("nats://", "tls://");
    place.options.extend(options(&[
        ("ca_file", &certificates.authority_file().display().to_string()),
        ("cert_file", &client.certificate.display().to_string()),
        ("key_file", &client.key.display().to_string()),
    ]));
    place.new_stream()?.replicas(3).create(support::PATIENCE)?;
    Ok((servers, place, folder))
}

fn survives_its_leader(setup: NatsSetup, sync_always: bool) -> Result {
    let (mut servers, place, _folder) = cluster(setup)?;
    let mut backend = place.created("log")?.sync_always(sync_always).required_replicas(3);
    backend.open(soon())?;
    let mut acknowledged = Vec::new();
    let mut head = Head::EMPTY;
    for round in 0..2 {
        let enough = head.size + 2_000;
        let leader = std::thread::scope(|scope| -> Result<usize> {
            let killing = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(300));
                servers.kill_leader(&place.stream)
            });
            let give_up = Instant::now() + Duration::from_secs(60);
            while head.size < enough || !killing.is_finished() {
                assert!(Instant::now() < give_up, "no leader was found for a minute");
                let sample = Sample::after(head).lines(20, &format!("round {round}"));
                let started = Instant::now();
                let appended = backend.append(head, &sample.batch(), started + DEADLINE.0);
                assert!(started.elapsed() < DEADLINE.1, "a call took {:?}", started.elapsed());
                match appended {
                    Ok(_) => {
                        acknowledged.extend_from_slice(sample.bytes());
                        head = sample.head();
                    }
                    // The same again, as a log does: it lands once.
                    Err(error) => assert!(error.is_retryable(), "{error}"),
                }
                while started.elapsed() < Duration::from_millis(5) {
                    std::thread::yield_now();
                }
            }
            killing.join().map_err(|_| "killing panicked")?
        })?;
        servers.restart(leader)?;
    }
    assert_eq!(backend.head(soon())?, head);
    let mut found = Vec::new();
    let mut next = 0;
    while next < head.size {
        let lines = backend.read(next..head.size, soon())?;
        assert!(!lines.is_empty(), "line {next} of {} is lost", head.size);
        next += lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        found.extend_from_slice(&lines);
    }
    assert!(found == acknowledged, "other lines than those that were acknowledged");
    Ok(())
}

#[test]
fn nothing_acknowledged_is_lost_when_the_leader_is_killed_under_load() -> Result {
    survives_its_leader(NatsSetup::debian()?, false)
}

#[test]
fn nothing_acknowledged_is_lost_by_servers_that_sync_always_either() -> Result {
    survives_its_leader(NatsSetup::newest()?.sync_always(), true)
}

#[test]
fn a_log_goes_on_through_the_death_of_a_server_and_verifies() -> Result {
    let (mut servers, place, _folder) = cluster(NatsSetup::newest()?)?;
    let key = Key::generate(ORIGIN)?;
    let log = || -> Result<audit_nats::Nats> { Ok(place.log("log")?.required_replicas(3)) };
    write_log(log()?, &key, 50)?;
    let follower = (servers.leader(&place.stream)? + 1) % servers.nodes();
    servers.kill(follower);
    write_log(log()?, &key, 50)?;
    servers.restart(follower)?;
    servers.kill_leader(&place.stream)?;
    let verdict = Verifier::new().run(&place.reader("log")?);
    assert_eq!(verdict.exit_code(), 0, "{}", verdict.to_json());
    assert!(verdict.records >= 200, "{}", verdict.to_json());
    Ok(())
}

#[test]
fn what_is_promised_is_what_the_replicas_that_are_left_can_give() -> Result {
    let servers = NatsSetup::newest()?.sync_always().cluster().start()?;
    let place = Place::create(&servers.addresses(), 3)?;
    let admin = support::admin::Admin::connect(&servers.addresses())?;
    let logs = [("synced", true), ("replicated", false)];
    let mut logs = logs.map(|(log, sync_always)| -> Result<_> {
        let mut backend = place.created(log)?.sync_always(sync_always);
        backend.open(soon())?;
        let synchronizer = backend.synchronizer()?;
        Ok((backend, synchronizer))
    });
    let mut promised = |replicas: u8| -> Result<Vec<(Durability, u8)>> {
        admin.update(&place.stream, &[("num_replicas", replicas.into())])?;
        let mut promised = Vec::new();
        for log in &mut logs {
            let (backend, synchronizer) = log.as_mut().map_err(|error| error.to_string())?;
            synchronizer.inspect(soon())?;
            promised.push((backend.capabilities().append, backend.capabilities().machines));
        }
        Ok(promised)
    };
    assert_eq!(promised(3)?, [(Durability::Synced, 2), (Durability::Replicated, 2)]);
    assert_eq!(promised(1)?, [(Durability::Synced, 1), (Durability::Written, 1)]);
    Ok(())
}

#[test]
fn without_a_majority_calls_end_by_their_deadline_and_the_log_goes_on_when_it_is_back() -> Result {
    let (mut servers, place, _folder) = cluster(NatsSetup::debian()?)?;
    let mut backend = place.created("log")?;
    let sample = Sample::after(Head::EMPTY).lines(4, "alone");
    backend.append(Head::EMPTY, &sample.first(2).batch(), soon())?;
    servers.kill(0);
    servers.kill(1);
    let started = Instant::now();
    let appended = backend.append(Head::EMPTY, &sample.batch(), started + DEADLINE.0);
    assert!(started.elapsed() < DEADLINE.1, "{:?}", started.elapsed());
    assert!(appended.as_ref().is_err_and(audit_core::backend::BackendError::is_retryable), "{appended:?}");
    servers.restart(0)?;
    servers.restart(1)?;
    let until = Instant::now() + Duration::from_secs(60);
    while let Err(error) = backend.append(Head::EMPTY, &sample.batch(), soon()) {
        assert!(error.is_retryable() && Instant::now() < until, "{error}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(backend.head(soon())?, sample.head());
    Ok(())
}
