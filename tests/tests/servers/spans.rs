//! Annotated functions carry secrets too: in fields that are not `audit.*`, and in panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use audit_core::{AuditLog, File, Key};
use audit_tracing::AuditSpans;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::Secrets;
use crate::log_on_disk::{of_kind, records};
use crate::search::{Leak, Search, contains, files};
use crate::secrets::MARKER;
use crate::server::PATIENCE;

#[tracing::instrument(fields(audit.action = "refunds.create", audit.marker = MARKER, card = secret))]
fn refund(secret: &str, password: &str) -> usize {
    tracing::info!(secret, "an event in the span");
    secret.len() + password.len()
}

#[tracing::instrument(skip_all, fields(audit.action = "refunds.panic", audit.marker = MARKER))]
fn panic(secret: &str) {
    panic!("{secret}")
}

#[tokio::test]
async fn fields_that_are_not_for_the_log_events_and_panics_leave_no_secret_in_it() {
    let origin = "payments.example.com/spans";
    let folder = tempfile::tempdir().unwrap();
    let key = Key::generate(origin).unwrap();
    let log = AuditLog::builder(origin).key(key).backend(File::new(folder.path())).open().unwrap();
    let subscriber = tracing_subscriber::registry().with(AuditSpans::new(log.clone()).unwrap());
    let secrets = Secrets::get();
    tracing::subscriber::with_default(subscriber, || {
        refund(&secrets.text("span field"), &secrets.text("span field"));
        let panicked = catch_unwind(AssertUnwindSafe(|| panic(&secrets.text("panic message"))));
        assert!(panicked.is_err());
    });
    log.close(PATIENCE).await.unwrap();

    let records = records(folder.path());
    assert_eq!(of_kind(&records, "intent").len(), 2);
    let outcomes = of_kind(&records, "outcome");
    assert!(outcomes.iter().any(|outcome| outcome["result"] == "panicked"), "{outcomes:#?}");
    let leaks: Vec<_> = Search::for_all(secrets).below(folder.path()).iter().map(Leak::to_string).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    let marked = files(folder.path()).iter().any(|file| contains(&std::fs::read(file).unwrap(), MARKER.as_bytes()));
    assert!(marked, "what may be recorded is not");
}
