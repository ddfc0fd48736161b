//! Which settings a stream needs so that what is in it stays there, and means what a receipt says.

use audit_core::backend::Concern;
use audit_core::record::line::LINE_LIMIT;

use crate::message_size::HEADER_ROOM;
use crate::stream_info::StreamInfo;
use crate::subjects::{Subjects, covers};
use crate::target::Target;

/// Whatever is wrong with the stream's settings, each under NATS' own name for it, with what it means
/// and what to do.
pub(crate) fn unmet(info: &StreamInfo, target: &Target) -> Vec<Concern> {
    let mut found = Vec::new();
    let mut wrong = |setting: &str, detail: String| found.push(Concern::new(setting, detail));
    for (setting, danger) in
        [("deny_delete", "single messages can be deleted"), ("deny_purge", "the stream can be emptied")]
    {
        if !info.boolean(setting) {
            wrong(
                setting,
                format!("it is false, so {danger}; it can only be set when a stream is made: make a new one"),
            );
        }
    }
    for (setting, danger) in [
        ("allow_rollup_hdrs", "one message can replace all before it"),
        ("sealed", "the stream takes no more messages"),
        ("no_ack", "nothing is acknowledged"),
        ("allow_msg_ttl", "messages can be made to expire"),
        ("allow_msg_counter", "the server writes other bytes than it was given"),
        ("allow_msg_schedules", "the server writes and removes messages by itself"),
    ] {
        if info.boolean(setting) {
            wrong(setting, format!("it is true, so {danger}; set it to false"));
        }
    }
    for (setting, danger) in [
        ("mirror", "messages come from another stream"),
        ("sources", "messages come from other streams"),
        ("subject_transform", "messages are stored under other subjects"),
        ("subject_delete_marker_ttl", "the server removes messages and leaves markers"),
    ] {
        if info.has(setting) {
            wrong(setting, format!("it is set, so {danger}; make a stream without it"));
        }
    }
    limits(info, &mut wrong);
    kinds(info, target, &mut wrong);
    let subjects = Subjects::of(&target.subject_prefix, &target.log);
    for subject in subjects.all().into_iter().filter(|_| !target.log.is_empty()) {
        if !info.list("subjects").any(|filter| covers(filter, subject)) {
            wrong("subjects", format!("{subject} is not among them; add `{}.>`", target.subject_prefix));
            break;
        }
    }
    found
}

/// Limits that make old messages go.
fn limits(info: &StreamInfo, wrong: &mut impl FnMut(&str, String)) {
    if info.number("max_age") > 0 {
        wrong("max_age", "it is set, so messages expire; set it to 0".into());
    }
    let keeps_old = info.text("discard") == "new";
    for setting in ["max_msgs", "max_bytes"] {
        let limit = info.number(setting);
        if limit > 0 && !keeps_old {
            wrong(
                setting,
                format!(
                    "it is {limit} while `discard` is `old`, so new messages push out old ones; set `discard` to `new`"
                ),
            );
        }
    }
    let limit = info.number("max_msgs_per_subject");
    if limit > 0 && !(keeps_old && info.boolean("discard_new_per_subject")) {
        wrong(
            "max_msgs_per_subject",
            format!("it is {limit}, so new messages push out old ones of their subject; set it to -1"),
        );
    }
    let size = info.number("max_msg_size");
    if size > 0 && size < (LINE_LIMIT + 1 + HEADER_ROOM) as i64 {
        wrong("max_msg_size", format!("it is {size}, less than the longest line and its headers need; set it to -1"));
    }
}

/// What kind of stream it is.
fn kinds(info: &StreamInfo, target: &Target, wrong: &mut impl FnMut(&str, String)) {
    let retention = info.text("retention");
    if retention != "limits" {
        wrong("retention", format!("it is `{retention}`, so whoever reads can remove; make a stream with `limits`"));
    }
    let storage = info.text("storage");
    if storage != "file" {
        wrong("storage", format!("it is `{storage}`, so a restart loses everything; make a stream with `file`"));
    }
    if info.text("persist_mode") == "async" {
        wrong(
            "persist_mode",
            "it is `async`, so what is acknowledged may not even be written; make a stream without it".into(),
        );
    }
    let replicas = info.number("num_replicas").max(1);
    if replicas < i64::from(target.required_replicas) {
        wrong(
            "num_replicas",
            format!("it is {replicas}, while `required_replicas` asks for {}; raise it", target.required_replicas),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::NewStream;

    const URL: &str = "nats://127.0.0.1/AUDIT/payments";

    /// The settings that are named when one of those that are needed is changed.
    fn named(setting: &str, value: Value) -> Vec<String> {
        let wanted = NewStream::from_url(URL, &[]).map(|stream| stream.to_json()).unwrap_or_default();
        let mut config: Value = serde_json::from_str(&wanted).unwrap_or_default();
        config[setting] = value;
        let info = serde_json::from_value(json!({ "config": config, "state": {} }));
        let target = Target::of_log(URL, &[]);
        match (info, target) {
            (Ok(info), Ok(target)) => unmet(&info, &target).into_iter().map(|it| it.setting).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_settings_that_are_made_are_those_that_are_needed() {
        assert_eq!(named("description", "nothing of interest".into()), Vec::<String>::new());
    }

    #[test]
    fn every_setting_that_lets_messages_go_is_named() {
        for (setting, value) in [
            ("deny_delete", json!(false)),
            ("deny_purge", Value::Null),
            ("allow_rollup_hdrs", json!(true)),
            ("sealed", json!(true)),
            ("no_ack", json!(true)),
            ("allow_msg_ttl", json!(true)),
            ("allow_msg_counter", json!(true)),
            ("allow_msg_schedules", json!(true)),
            ("mirror", json!({ "name": "OTHER" })),
            ("sources", json!([{ "name": "OTHER" }])),
            ("subject_transform", json!({ "src": ">", "dest": "a.>" })),
            ("subject_delete_marker_ttl", json!(1_000_000_000)),
            ("max_age", json!(1)),
            ("max_msgs_per_subject", json!(1)),
            ("max_msg_size", json!(65_536)),
            ("retention", json!("workqueue")),
            ("storage", json!("memory")),
            ("persist_mode", json!("async")),
            ("subjects", json!(["audit.ledger.>"])),
        ] {
            assert_eq!(named(setting, value), [setting]);
        }
    }

    #[test]
    fn what_is_absent_or_empty_lets_nothing_go() {
        for (setting, value) in [
            ("sources", json!([])),
            ("mirror", Value::Null),
            ("allow_msg_ttl", json!(false)),
            ("subject_delete_marker_ttl", json!(0)),
            ("max_msgs", json!(1_000)),
            ("max_age", Value::Null),
        ] {
            assert_eq!(named(setting, value), Vec::<String>::new(), "{setting}");
        }
    }
}
