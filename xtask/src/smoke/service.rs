//! The service: what it records, and when it refuses to start.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::command::Result;
use crate::http::Connection;
use crate::server::Server;
use crate::smoke::Site;
use crate::test::Count;
use crate::token;

pub(crate) fn check(site: &Site, count: &mut Count) -> Result {
    let server = start(site)?;
    let calls = call_everything(&server, count)?;
    let second = start(site);
    count.check("a second process on the same log is refused", second.is_err());
    let status = server.terminate()?;
    count.check("SIGTERM ends the service in order", status.success());

    recorded(site, calls, count)?;
    let mode = fs::metadata(site.place("log.key"))?.permissions().mode() & 0o777;
    count.check("the key it makes is for its owner only", mode == 0o600);
    exposed_key(site, count)
}

fn start(site: &Site) -> Result<Server> {
    let log: [PathBuf; 2] = ["--log".into(), site.log()];
    Server::start(&site.service, log, &site.place("errors"))
}

/// Calls every route; the number of calls that have to be in the log.
fn call_everything(server: &Server, count: &mut Count) -> Result<usize> {
    let token = token::service_account("payments", "settler");
    let mut connection = Connection::open(server.address())?;
    let calls = [
        ("POST", "/v1/refunds/42", 201),
        ("POST", "/v1/refunds/43", 201),
        ("GET", "/v1/refunds", 200),
        ("GET", "/v1/slow?ms=5", 200),
        ("GET", "/v1/fail", 500),
        ("GET", "/v1/denied", 403),
        ("GET", "/nowhere", 404),
    ];
    for (method, path, status) in calls {
        let answer = connection.call(method, path, Some(&token), "{}")?;
        count.check(&format!("{method} {path} answers {status}"), answer.status == status);
    }
    let refunds = connection.call("GET", "/v1/refunds", None, "")?;
    count.check("the counter counts refunds", refunds.body == b"2");
    for probe in ["/healthz", "/readyz"] {
        let answer = connection.call("GET", probe, None, "")?;
        count.check(&format!("{probe} answers 200"), answer.status == 200);
    }
    let panicked = connection.call("GET", "/v1/panic", None, "");
    count.check("a panic ends its connection", panicked.is_err());
    Ok(calls.len() + 2)
}

fn recorded(site: &Site, calls: usize, count: &mut Count) -> Result {
    let mut records = Vec::new();
    for line in site.lines()? {
        records.push(serde_json::from_str::<Value>(&line)?);
    }
    let of_kind = |kind: &str| records.iter().filter(|record| record["kind"] == kind).count();
    count.check("every call has an intent", of_kind("intent") == calls);
    count.check("every call has an outcome", of_kind("outcome") == calls);
    let first = records.first().map(|record| &record["kind"]);
    count.check("the log starts with log.opened", first == Some(&"log.opened".into()));
    let last = records.last().map(|record| &record["kind"]);
    count.check("the log ends with log.closed", last == Some(&"log.closed".into()));

    let by_settler = records.iter().find(|record| record["action"] == "POST /v1/refunds/{id}");
    let actor = by_settler.map_or(&Value::Null, |intent| &intent["actor"]);
    let named = actor["id"] == "system:serviceaccount:payments:settler"
        && actor["type"] == "service_account"
        && actor["verified"] == false;
    count.check("the service account is named, and not called verified", named);
    let probed = records.iter().any(|record| record["resource"] == "/healthz");
    count.check("probes are not recorded", !probed);
    let panicked = records.iter().any(|record| record["result"] == "panicked");
    count.check("the panic is recorded", panicked);
    let handled = fs::metadata(site.place("log.handled"))?.len();
    let intents = of_kind("intent") as u64;
    count.check("handler runs do not exceed intents", handled <= intents && handled > 0);
    Ok(())
}

fn exposed_key(site: &Site, count: &mut Count) -> Result {
    let key = site.place("log.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644))?;
    let refusal = start(site).err().map(|error| error.to_string());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    let told = refusal.is_some_and(|refusal| refusal.contains("chmod 600"));
    count.check("a key that others may read is refused, with the remedy", told);
    Ok(())
}
