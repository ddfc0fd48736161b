use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::Event;
use audit_core::verify::{FindingKind, Verifier};

use crate::fixture::Place;
use crate::whole_log::{close, key, open};

#[test]
fn callers_are_answered_by_their_deadline_while_the_server_is_gone_and_the_gap_is_recorded() {
    let mut place = Place::own(&[]);
    let log = open(&place, "log", &key());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = Arc::get_mut(&mut place.server).unwrap();
    let record = |number: usize| {
        let log = log.clone();
        async move {
            let started = Instant::now();
            let event = Event::action("ledger.rotate").resource(number.to_string());
            let receipt = log.record(&event).await;
            (receipt, started.elapsed())
        }
    };
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for number in 0..60 {
        match number {
            20 => server.kill(),
            40 => server.restart().unwrap(),
            _ => {}
        }
        let both = runtime.block_on(async {
            let (one, two) = (tokio::spawn(record(number)), tokio::spawn(record(number + 1_000)));
            [one.await.unwrap(), two.await.unwrap()]
        });
        for (receipt, took) in both {
            // The default rule's deadline is a second, a call to the store may take ten.
            assert!(took < Duration::from_secs(4), "{took:?}");
            match receipt {
                Ok(receipt) => acknowledged.push(receipt.unwrap()),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused >= 20 && acknowledged.len() >= 40, "{refused} refused, {} acknowledged", acknowledged.len());
    let records = close(&log);
    let verdict = Verifier::new().key(log.verifier_key().clone()).run(&place.reader("log"));
    assert_eq!(verdict.judgement().to_string(), "intact", "{:#?}", verdict.findings);
    assert_eq!(verdict.records, records);
    assert!(verdict.findings.iter().any(|finding| finding.kind == FindingKind::Gap), "{:#?}", verdict.findings);
    for receipt in acknowledged {
        let line = place.superuser(&format!("SELECT line FROM SCHEMA.lines WHERE seq = {}", receipt.seq));
        assert_eq!(audit_core::evidence::leaf_hash(line.as_bytes()), receipt.leaf);
    }
}
