//! The records, for people.

use std::collections::{BTreeSet, HashMap};

use examples::Failure;
use serde_json::Value;

use crate::evidence::Evidence;

/// Prints one row for each record. Fails unless all three service accounts are named.
pub(crate) fn print(evidence: &Evidence) -> Result<(), Failure> {
    let mut accounts = BTreeSet::new();
    let mut calls: HashMap<String, (String, String)> = HashMap::new();
    println!("{:>3}  {:<15}  {:<10}  {:<21}  {:<28}  result", "seq", "time", "kind", "who", "what");
    for line in evidence.lines() {
        let record: Value = serde_json::from_str(line)?;
        let text = |member: &str| record[member].as_str().unwrap_or_default().to_owned();
        let id = text("id");
        let (who, what) = match text("kind").as_str() {
            "intent" => {
                let call = (who(&record["actor"]), text("resource"));
                if record["actor"]["type"] == "service_account" {
                    accounts.insert(call.0.clone());
                }
                calls.insert(id, call.clone());
                let method = text("action");
                let method = method.split(' ').next().unwrap_or_default();
                (call.0, format!("{method} {}", call.1))
            }
            // An outcome carries the id of its intent, which says the rest.
            "outcome" => calls.remove(&id).map_or_else(Default::default, |(who, _)| (who, "  └ ends".to_owned())),
            _ => Default::default(),
        };
        let seq = record["seq"].to_string();
        let time = text("time");
        let time = time.get(11..26).unwrap_or_default();
        println!("{seq:>3}  {time:<15}  {:<10}  {who:<21}  {what:<28}  {}", text("kind"), result(&record),);
    }
    println!("\nservice accounts: {}", Vec::from_iter(accounts.iter().map(String::as_str)).join(", "));
    if accounts.len() == 3 { Ok(()) } else { Err("three service accounts called".into()) }
}

/// `payments/settler` for a service account of Kubernetes; what kind of caller otherwise.
fn who(actor: &Value) -> String {
    let id = actor["id"].as_str().unwrap_or_default();
    match id.strip_prefix("system:serviceaccount:") {
        Some(account) => account.replace(':', "/"),
        None if id.is_empty() => actor["type"].as_str().unwrap_or_default().to_owned(),
        None => id.to_owned(),
    }
}

fn result(record: &Value) -> String {
    let result = record["result"].as_str().unwrap_or_default();
    match record["status"].as_u64() {
        Some(status) => format!("{result} {status}"),
        None => result.to_owned(),
    }
}
