use std::time::Duration;

use audit_core::log::Replica;
use audit_core::{AuditLog, Event, Key};
use real_servers::Moto;

use crate::bucket::Bucket;
use crate::evidence::{Options, assert_intact};
use crate::jetstream::Stream;
use crate::postgres::Database;

/// A service opens its log wherever its `main` stands, and that may be async.
#[tokio::test]
async fn a_log_on_three_stores_is_opened_used_and_dropped_inside_an_async_runtime() {
    // Setting the servers up blocks, as an administrator's program may.
    let setting_up = std::thread::spawn(|| {
        let server = Moto::start().unwrap();
        let bucket = Bucket::make(&server.endpoint(), "AKIDANYBODY", "secret");
        (Database::start(), Stream::that_syncs(), bucket, server)
    });
    let (database, stream, bucket, _server) = setting_up.join().unwrap();
    let key = Key::generate("test.example/log").unwrap();
    let open = |url: &str, options: Options| audit_backends::open(url, &options).unwrap();
    let log = AuditLog::builder("test.example/log")
        .key(key.clone())
        .boxed_backend(open(&database.url("writer"), database.options()))
        .replica(Replica::boxed(open(&stream.url(), stream.syncing_options())))
        .replica(Replica::boxed(open(&bucket.url(), bucket.options())))
        .open()
        .unwrap();
    for _ in 0..10 {
        log.record(&Event::action("ledger.rotate")).await.unwrap();
    }
    let closed = log.close(Duration::from_secs(30)).await.unwrap();
    assert_eq!(closed.replicas_lack, 0);
    drop(log);
    // A store that is never opened, or that is no store, is dropped here too.
    drop(open(&database.url("writer"), database.options()));
    let nobody = AuditLog::builder("test.example/log").key(key.clone());
    let unused = "postgres://nobody@127.0.0.1:1/nowhere/prod-1";
    nobody.boxed_backend(open(unused, database.options())).open().unwrap_err();

    let pinned = key.verifier().clone();
    // Reading blocks, and says so instead of panicking where it must not.
    let refused = audit_backends::reader(&database.url("reader"), &database.options());
    let refused = refused.and_then(|reader| Ok(reader.size()?)).unwrap_err().to_string();
    assert!(refused.contains("async"), "{refused}");
    let verdicts = std::thread::spawn(move || {
        let places = [
            (database.url("reader"), database.options()),
            (stream.url(), stream.options()),
            (bucket.url(), bucket.options()),
        ];
        places.map(|(url, options)| assert_intact(&url, &options, &pinned).root)
    });
    let [rows, messages, objects] = verdicts.join().unwrap();
    assert_eq!((rows, rows), (messages, objects));
}
