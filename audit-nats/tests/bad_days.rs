//! Bad days of a single server: each ends by its deadline, and loses nothing that was acknowledged.

mod support;

use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, BackendError, Head};
use audit_core::conformance::Sample;
use audit_core::verify::LogReader as _;
use real_servers::{Mode, NatsSetup, Proxy};
use support::{Place, Result, append_until, debian, soon};

/// The deadline of a call that is expected to fail, and how much later it may end on a busy machine.
const SHORT: (Duration, Duration) = (Duration::from_millis(700), Duration::from_secs(3));

/// Runs `call` with a short deadline, and fails when it outlives it.
fn in_short<T>(call: impl FnOnce(Instant) -> T) -> T {
    let started = Instant::now();
    let result = call(started + SHORT.0);
    assert!(started.elapsed() < SHORT.1, "the call took {:?}", started.elapsed());
    result
}

#[test]
fn a_server_that_hangs_gives_typed_errors_by_the_deadline_and_the_log_goes_on_afterwards() -> Result {
    let servers = debian()?;
    let proxy = Proxy::start(servers.port())?;
    let direct = Place::create(&servers.addresses(), 1)?;
    let place = Place { servers: format!("nats://127.0.0.1:{}", proxy.port()), ..direct };
    let mut backend = place.created("log")?;
    let mut synchronizer = backend.synchronizer()?;
    let mut sample = Sample::after(Head::EMPTY).lines(2, "in time");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;

    for mode in [Mode::Hang, Mode::HangAnswers] {
        proxy.set(mode);
        let more = Sample::after(sample.head()).lines(3, "late");
        let appended = in_short(|deadline| backend.append(sample.head(), &more.batch(), deadline));
        assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{mode:?}: {appended:?}");
        let read = in_short(|deadline| backend.read(0..1, deadline));
        assert!(read.is_ok() || matches!(read, Err(BackendError::Unavailable { .. })), "{mode:?}: {read:?}");
        let head = in_short(|deadline| backend.head(deadline));
        assert!(matches!(head, Err(BackendError::Unavailable { .. })), "{mode:?}: {head:?}");
        let inspected = in_short(|deadline| synchronizer.inspect(deadline));
        assert!(matches!(inspected, Err(BackendError::Unavailable { .. })), "{mode:?}: {inspected:?}");
        let (note, range) = (sample.checkpoint(2), sample.range(2));
        let published = in_short(|deadline| synchronizer.publish(&note, &range, deadline));
        assert!(matches!(published, Err(BackendError::Unknown { .. })), "{mode:?}: {published:?}");
        proxy.set(Mode::Pass);
        // Whatever was held back lands now; the same again is recognised.
        backend.append(sample.head(), &more.batch(), soon())?;
        synchronizer.publish(&note, &range, soon())?;
        sample = sample.lines(3, "late");
        assert_eq!(backend.head(soon())?, sample.head());
    }
    assert_eq!(backend.read(0..8, soon())?, sample.bytes());
    Ok(())
}

#[test]
fn a_checkpoint_that_may_have_arrived_is_found_before_a_newer_one_follows_it() -> Result {
    let mut servers = debian()?;
    let proxy = Proxy::start(servers.port())?;
    let direct = Place::create(&servers.addresses(), 1)?;
    let place = Place { servers: format!("nats://127.0.0.1:{}", proxy.port()), ..direct.clone() };
    let mut backend = place.created("log")?;
    let mut synchronizer = backend.synchronizer()?;
    let sample = Sample::after(Head::EMPTY).lines(3, "signed");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;

    proxy.set(Mode::HangAnswers);
    let published = in_short(|deadline| synchronizer.publish(&sample.checkpoint(2), &sample.range(2), deadline));
    assert!(matches!(published, Err(BackendError::Unknown { .. })), "{published:?}");
    servers.kill(0);
    proxy.set(Mode::Pass);
    // That this attempt surely failed does not say what became of the first.
    for size in [2, 3] {
        let (note, range) = (sample.checkpoint(size), sample.range(size));
        let published = in_short(|deadline| synchronizer.publish(&note, &range, deadline));
        assert!(matches!(published, Err(BackendError::Unknown { .. })), "{size}: {published:?}");
    }
    servers.restart(0)?;
    let until = soon();
    while let Err(error) = synchronizer.publish(&sample.checkpoint(3), &sample.range(3), soon()) {
        assert!(error.is_retryable() && Instant::now() < until, "{error}");
    }
    let reader = direct.reader("log")?;
    assert_eq!(reader.checkpoint()?, Some(sample.checkpoint(3)));
    let kept: Vec<Vec<u8>> = reader.kept_checkpoints()?.into_iter().map(|(_, note)| note).collect();
    assert_eq!(kept, [sample.checkpoint(2)]);
    Ok(())
}

#[test]
fn a_server_that_takes_less_than_the_one_before_gets_smaller_messages() -> Result {
    let mut servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?;
    let mut sample = Sample::after(Head::EMPTY).lines(2, "large enough");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;
    servers.kill(0);
    let file = servers.folder().join("n1.conf");
    let configuration = std::fs::read_to_string(&file)?;
    std::fs::write(&file, format!("{configuration}\nmax_payload: 80000\n"))?;
    servers.restart(0)?;
    let before = sample.head();
    sample = Sample::after(before).lines(1_000, "of many").longest_line();
    assert!(sample.bytes().len() > 80_000);
    let until = soon();
    while let Err(error) = backend.append(before, &sample.batch(), soon()) {
        assert!(error.is_retryable() && Instant::now() < until, "{error}");
    }
    assert_eq!(backend.head(soon())?, sample.head());
    Ok(())
}

#[test]
fn a_reader_of_a_server_that_hangs_gives_up_in_time() -> Result {
    let servers = debian()?;
    let proxy = Proxy::start(servers.port())?;
    let direct = Place::create(&servers.addresses(), 1)?;
    let mut place = Place { servers: format!("nats://127.0.0.1:{}", proxy.port()), ..direct };
    place.created("log")?;
    place.options.extend(support::options(&[("read_timeout", "700ms")]));
    let reader = place.reader("log")?;
    proxy.set(Mode::Hang);
    let started = Instant::now();
    assert!(reader.checkpoint().is_err());
    assert!(reader.inspect().is_err());
    assert!(place.reader("log").is_err());
    assert!(started.elapsed() < SHORT.1 * 3, "{:?}", started.elapsed());
    proxy.set(Mode::Pass);
    assert_eq!(reader.size()?, 0);
    Ok(())
}

#[test]
fn a_slow_server_only_takes_its_time() -> Result {
    let servers = debian()?;
    let proxy = Proxy::start(servers.port())?;
    let direct = Place::create(&servers.addresses(), 1)?;
    let place = Place { servers: format!("nats://127.0.0.1:{}", proxy.port()), ..direct };
    let mut backend = place.created("log")?;
    proxy.set(Mode::Slow(Duration::from_millis(100)));
    let sample = Sample::after(Head::EMPTY).lines(3, "slowly");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;
    assert_eq!(backend.read(0..3, soon())?, sample.bytes());
    Ok(())
}

#[test]
fn connections_that_are_cut_again_and_again_duplicate_and_lose_nothing() -> Result {
    let servers = debian()?;
    let proxy = Proxy::start(servers.port())?;
    let direct = Place::create(&servers.addresses(), 1)?;
    let place = Place { servers: format!("nats://127.0.0.1:{}", proxy.port()), ..direct };
    let mut backend = place.created("log")?;
    let mut all = Vec::new();
    let mut head = Head::EMPTY;
    std::thread::scope(|scope| -> Result {
        let (ended, until) = std::sync::mpsc::channel::<()>();
        let proxy = &proxy;
        scope.spawn(move || {
            while until.recv_timeout(Duration::from_millis(30)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                proxy.cut();
            }
        });
        for round in 0..60 {
            let sample = Sample::after(head).lines(20, &format!("round {round}"));
            let until = soon();
            loop {
                match backend.append(head, &sample.batch(), until) {
                    Ok(_) => break,
                    Err(error) if error.is_retryable() && Instant::now() < until => {}
                    Err(error) => return Err(error.into()),
                }
            }
            all.extend_from_slice(sample.bytes());
            head = sample.head();
        }
        drop(ended);
        Ok(())
    })?;
    let mut reader = backend.reader()?;
    let mut found = Vec::new();
    let mut next = 0;
    while next < head.size {
        let lines = reader.read(next..head.size, soon())?;
        assert!(!lines.is_empty(), "line {next} of {} is not there", head.size);
        next += lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        found.extend_from_slice(&lines);
    }
    assert!(found == all);
    Ok(())
}

#[test]
fn of_two_writers_at_once_one_has_each_position() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    place.created("log")?;
    let writers = ["one", "another"].map(|name| (name, place.log("log")));
    let until = Instant::now() + Duration::from_secs(2);
    let acknowledged = std::thread::scope(|scope| -> Result<Vec<_>> {
        let mut writing = Vec::new();
        for (name, backend) in writers {
            let mut backend = backend?;
            writing.push(scope.spawn(move || -> Result<Vec<Sample>> {
                let mut head = backend.open(soon())?.head;
                let mut taken = Vec::new();
                while Instant::now() < until {
                    let sample = Sample::after(head).lines(3, name);
                    match backend.append(head, &sample.batch(), soon()) {
                        Ok(_) => {
                            head = sample.head();
                            taken.push(sample);
                        }
                        Err(BackendError::Conflict { .. }) => head = backend.head(soon())?,
                        Err(error) => return Err(error.into()),
                    }
                }
                Ok(taken)
            }));
        }
        writing.into_iter().map(|writing| writing.join().map_err(|_| "a writer panicked")?).collect()
    })?;
    assert!(acknowledged.iter().all(|taken| !taken.is_empty()), "both have to get their turn");
    let mut backend = place.log("log")?;
    let size = backend.open(soon())?.head.size;
    let samples: Vec<&Sample> = acknowledged.iter().flatten().collect();
    assert_eq!(samples.len() as u64 * 3, size, "each position was acknowledged once");
    for sample in samples {
        let first = sample.before().size;
        assert_eq!(backend.read(first..first + 3, soon())?, sample.bytes());
    }
    Ok(())
}

#[test]
fn what_a_server_that_syncs_always_acknowledged_is_there_after_it_was_killed() -> Result {
    let mut servers = NatsSetup::newest()?.sync_always().start()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?.sync_always(true);
    backend.open(soon())?;
    let mut head = Head::EMPTY;
    for round in 0..5 {
        let killed_at = Instant::now() + Duration::from_millis(100 + round * 37);
        let (acknowledged, failed) = std::thread::scope(|scope| {
            let appending = scope.spawn(|| append_until(&mut backend, head, 50, Duration::from_secs(2), |_| false));
            std::thread::sleep(killed_at.saturating_duration_since(Instant::now()));
            servers.kill(0);
            appending.join()
        })
        .map_err(|_| "appending panicked")?;
        let failed = failed.ok_or("appending did not end")?;
        assert!(failed.is_retryable(), "{failed}");
        servers.restart(0)?;
        let mut after = place.log("log")?.sync_always(true);
        let opened = after.open(soon())?;
        assert!(opened.head.size >= acknowledged.size, "{} of {}", opened.head.size, acknowledged.size);
        assert!(acknowledged.size > head.size, "nothing was appended in round {round}");
        head = opened.head;
        backend = after;
    }
    Ok(())
}

#[test]
fn a_stream_that_is_full_says_so_and_keeps_what_it_has() -> Result {
    let servers = debian()?;
    let place = Place::of(&servers.addresses());
    place.new_stream()?.max_bytes(200_000).create(support::PATIENCE)?;
    let mut backend = place.created("log")?;
    let (head, failed) = append_until(&mut backend, Head::EMPTY, 50, support::PATIENCE, |_| false);
    assert!(matches!(&failed, Some(BackendError::Full { detail }) if detail.contains(&place.stream)), "{failed:?}");
    assert!(head.size > 0);
    assert_eq!(backend.head(soon())?, head);

    // With more room the same lines fit.
    support::admin::Admin::connect(&servers.addresses())?.update(&place.stream, &[("max_bytes", 400_000.into())])?;
    let (later, _) = append_until(&mut backend, head, 50, support::PATIENCE, |now| now.size > head.size);
    assert!(later.size > head.size);
    Ok(())
}

#[test]
fn a_batch_that_no_message_can_hold_is_appended_in_several() -> Result {
    let servers = NatsSetup::debian()?.configuration("max_payload: 80000").start()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?;
    assert!(backend.batching().bytes < 80_000);
    let sample = Sample::after(Head::EMPTY).longest_line().lines(2_000, "of many").longest_line();
    backend.append(Head::EMPTY, &sample.batch(), soon())?;
    backend.append(Head::EMPTY, &sample.batch(), soon())?;
    assert_eq!(backend.head(soon())?, sample.head());
    Ok(())
}

#[test]
fn a_server_whose_messages_are_too_small_for_a_line_is_refused() -> Result {
    let servers = NatsSetup::debian()?.configuration("max_payload: 65535").start()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let refused = place.log("log")?.open(soon());
    let named = matches!(&refused, Err(BackendError::Misconfigured { detail }) if detail.contains("`max_payload`"));
    assert!(named, "{refused:?}");
    Ok(())
}

#[test]
fn a_log_in_a_thread_of_a_runtime_is_refused_and_harms_nobody() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let mut backend = place.created("log")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let reader = place.reader("log")?;
    runtime.block_on(async move {
        let refused = backend.head(soon());
        assert!(matches!(refused, Err(BackendError::Misconfigured { .. })), "{refused:?}");
        assert!(
            reader.checkpoint().is_err() && reader.lines(0).is_ok_and(|mut lines| lines.read(&mut [0; 9]).is_err())
        );
        assert!(place.reader("log").is_err());
        drop((backend, reader));
    });
    Ok(())
}
