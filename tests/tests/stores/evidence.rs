//! What has to hold of every copy of a log after a bad day.

use std::collections::HashSet;
use std::time::Duration;

use audit_core::VerifierKey;
use audit_core::verify::{FindingKind, Judgement, Lines, Verdict, Verifier};
use serde_json::Value;

use crate::load::Answers;
use crate::service::Service;

/// What the machine may add to a deadline: tests run side by side on few cores.
const ALLOWANCE: Duration = Duration::from_secs(2);

/// Options of a store, as pairs.
pub(crate) type Options = Vec<(String, String)>;

/// Every answer came by `deadline`.
pub(crate) fn assert_in_time(answers: &Answers, deadline: Duration) {
    assert!(answers.slowest < deadline + ALLOWANCE, "an answer took {:?}", answers.slowest);
}

/// The log at `url` is intact, has every call that was answered with success, and no fewer intents
/// than handlers ran. Its verdict.
pub(crate) fn assert_whole(url: &str, options: &Options, service: &Service, answers: &Answers) -> Verdict {
    let verdict = assert_intact(url, options, &service.verifier_key());
    let records = records(url, options);
    let intents: Vec<&Value> = records.iter().filter(|record| record["kind"] == "intent").collect();
    let runs = service.handler_runs();
    assert!(runs <= intents.len() as u64, "{url}: {runs} handler runs, {} intents", intents.len());
    let resources: HashSet<&str> = intents.iter().filter_map(|intent| intent["resource"].as_str()).collect();
    let missing: Vec<_> = answers.succeeded.iter().filter(|resource| !resources.contains(resource.as_str())).collect();
    assert!(missing.is_empty(), "{url}: acknowledged and not in the log: {missing:?}");
    assert!(!answers.succeeded.is_empty());
    verdict
}

/// The log at `url` is intact, and all of it is signed.
pub(crate) fn assert_intact(url: &str, options: &Options, key: &VerifierKey) -> Verdict {
    let reader = audit_backends::reader(url, options).unwrap();
    let verdict = Verifier::new().key(key.clone()).run(reader.as_ref());
    assert_eq!(verdict.judgement(), Judgement::Intact, "{url}: {:#?}", verdict.findings);
    let hidden = verdict.findings.iter().any(|finding| finding.kind == FindingKind::UnsignedTail);
    assert!(!hidden && verdict.signed == verdict.records, "{url}: {:#?}", verdict.findings);
    verdict
}

/// Every record of the log at `url`.
pub(crate) fn records(url: &str, options: &Options) -> Vec<Value> {
    let reader = audit_backends::reader(url, options).unwrap();
    let mut lines = Lines::from(reader.as_ref(), 0).unwrap();
    let mut records = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        records.push(serde_json::from_slice(line).unwrap());
    }
    records
}

/// The section of a configuration file for a store.
pub(crate) fn section(head: &str, url: &str, options: &Options) -> String {
    let mut section = format!("{head}\nurl = {url:?}\n");
    for (name, value) in options {
        section.push_str(&format!("{name} = {value:?}\n"));
    }
    section
}

pub(crate) fn options(pairs: &[(&str, &str)]) -> Options {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
