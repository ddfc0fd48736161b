//! To `audit query --json` the logs of all adapters look the same but for what is the protocol's own.

use std::path::Path;
use std::process::Command;

use audit_core::record::Actor;
use audit_core::{AuditLog, File, Key};
use audit_tracing::AuditSpans;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::secrets::{CALLER, TRACE};
use crate::server::PATIENCE;
use crate::{Call, Framework, Server, programs};

const CALLS: [(Call, &str); 3] = [(Call::Refund(42), "success"), (Call::Denied, "denied"), (Call::Fail, "error")];

/// What `audit query` prints as JSON.
fn query(log: &Path, more: &[&str]) -> Vec<Value> {
    let audit =
        Command::new(programs::program("audit")).arg("query").arg(log).arg("--json").args(more).output().unwrap();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stderr));
    String::from_utf8(audit.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The intents and outcomes in a log, in order.
fn calls(log: &Path) -> Vec<Value> {
    let mut records = query(log, &[]);
    records.retain(|record| record["kind"] == "intent" || record["kind"] == "outcome");
    records
}

/// A record without what differs between two runs of the same server.
fn lasting(mut record: Value) -> Value {
    let members = record.as_object_mut().unwrap();
    for member in ["seq", "prev", "time", "id", "latency_us"] {
        assert!(members.remove(member).is_some() || member == "latency_us", "no {member}: {members:?}");
    }
    if let Some(source) = members.get_mut("source") {
        assert!(source.as_object_mut().unwrap().remove("port").is_some());
    }
    record
}

/// A record without what is the protocol's own, which has to be there.
fn without_protocol(record: Value, call: Call, is_grpc: bool) -> Value {
    let mut record = lasting(record);
    let members = record.as_object_mut().unwrap();
    if members["kind"] == "intent" {
        assert!(members.remove(if is_grpc { "rpc" } else { "http" }).is_some());
        assert_eq!(members.remove("action").unwrap(), call.action(is_grpc));
        // The path of an HTTP request; a gRPC call has none beside its action.
        assert_eq!(members.remove("resource").is_none(), is_grpc);
    } else {
        let number = members.remove(if is_grpc { "code" } else { "status" }).unwrap();
        assert_eq!(number.as_i64(), if is_grpc { call.code() } else { call.status() });
        // Framed otherwise.
        members.remove("request_bytes");
        members.remove("response_bytes");
    }
    record
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_logs_of_all_servers_look_the_same_but_for_what_is_the_protocols_own() {
    let mut logs = Vec::new();
    for framework in [Framework::Axum, Framework::Actix, Framework::Tonic] {
        let server = Server::start(framework);
        let mut client = server.client().await;
        for (number, (call, _)) in CALLS.into_iter().enumerate() {
            assert_eq!(client.call(call).await, client.expected(call));
            server.until_outcomes(number + 1).await;
        }
        let stopped = server.stop().await;
        for (_, result) in CALLS {
            assert_eq!(query(&stopped.log(), &["--result", result]).len(), 2, "{framework:?}: {result}");
        }
        assert_eq!(query(&stopped.log(), &["--actor", CALLER]).len(), 2 * CALLS.len(), "{framework:?}");
        let records = calls(&stopped.log());
        assert_eq!(records.len(), 2 * CALLS.len());
        let each = records.into_iter().zip(CALLS.into_iter().flat_map(|(call, _)| [call, call]));
        let comparable: Vec<_> =
            each.map(|(record, call)| without_protocol(record, call, framework.is_grpc())).collect();
        logs.push(comparable);
    }
    assert_eq!(logs[0], logs[1], "axum and actix");
    assert_eq!(logs[0], logs[2], "axum and tonic");
    // So that not everything was taken away before it was compared.
    assert_eq!(logs[0][0]["actor"]["id"], CALLER);
    assert_eq!((&logs[0][0]["trace"], &logs[0][0]["policy"]), (&TRACE.into(), &"default".into()));
    assert_eq!((&logs[0][1]["result"], &logs[0][1]["resource"]), (&"success".into(), &"42".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_span_has_the_members_of_a_call_but_for_its_own() {
    let server = Server::start(Framework::Axum);
    server.client().await.call(Call::Refund(42)).await;
    let stopped = server.stop().await;
    let of_call = calls(&stopped.log());

    let folder = tempfile::tempdir().unwrap();
    refund_in_a_span(folder.path()).await;
    let of_span = calls(folder.path());
    assert_eq!((of_call.len(), of_span.len()), (2, 2));
    let names = |record: &Value, without: &[&str]| {
        let members = record.as_object().unwrap().keys().filter(|name| !without.contains(&name.as_str()));
        members.cloned().collect::<Vec<_>>()
    };
    // Only what comes over a network comes from somewhere, in a trace, and with bytes.
    let of_network = ["http", "source", "trace", "status", "request_bytes", "response_bytes"];
    for (call, span) in of_call.iter().zip(&of_span) {
        assert_eq!(names(call, &of_network), names(span, &["span"]));
        assert_eq!((&call["kind"], &call["result"]), (&span["kind"], &span["result"]));
    }
    assert_eq!(of_span[0]["actor"]["id"], of_call[0]["actor"]["id"]);
    assert_eq!(of_span[1]["resource"], of_call[1]["resource"]);
}

/// What the handler of a refund does, as an annotated function.
async fn refund_in_a_span(log: &Path) {
    #[tracing::instrument(skip_all, fields(audit.action = "refunds.create", audit.resource = %path, audit.result))]
    fn refund(path: &str, id: &str) {
        audit_core::CurrentActivity::get().unwrap().resource(id).unwrap();
        tracing::Span::current().record("audit.result", "success");
    }

    let origin = "payments.example.com/spans";
    let key = Key::generate(origin).unwrap();
    let log = AuditLog::builder(origin).key(key).backend(File::new(log)).open().unwrap();
    let settler = Actor::service_account(CALLER);
    let spans = AuditSpans::new(log.clone()).unwrap().actor(settler);
    let subscriber = tracing_subscriber::registry().with(spans);
    tracing::subscriber::with_default(subscriber, || refund("/v1/refunds/42", "42"));
    log.close(PATIENCE).await.unwrap();
}
