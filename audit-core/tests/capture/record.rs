use audit_core::capture::{BodyCapture, BodyFormat, CapturedBody};
use audit_core::evidence::Hash;
use audit_core::record::Record;
use audit_core::{Event, Outcome, OutcomeResult, Policy};
use serde_json::json;

use crate::support::{builder, capture, memory, outcome_in, recorded};

const JSON: &str = "application/json";

/// A body whose text is `length` bytes of quotes, which take twice as much in a record.
fn quotes(length: usize) -> CapturedBody {
    let settings = BodyCapture::new().prefix(32_768).unwrap().plain_text();
    capture(&settings, "text/plain", "\"".repeat(length).as_bytes())
}

fn stream(messages: usize) -> CapturedBody {
    let settings = BodyCapture::new().messages(64).unwrap();
    let mut recorder = settings.recorder(Some(b"application/grpc"), None, BodyFormat::Grpc);
    recorder.update(&[1, 0, 0, 0, 1, b'x'].repeat(messages));
    recorder.end();
    recorder.finish()
}

#[tokio::test]
async fn an_outcome_says_of_its_bodies_in_a_fixed_order() {
    let settings = BodyCapture::new();
    let request = capture(&settings, JSON, b"{\"amount\":1,\"pin\":2}");
    let mut recorder = settings.recorder(Some(b"text/html"), Some(b"br"), BodyFormat::Http);
    recorder.update(b"abc");
    let response = recorder.finish();
    let outcome = Outcome::http(201).request_bytes(20).response_bytes(3).error("broken off");
    let (line, _) = recorded(outcome.request_body(request).response_body(response)).await;
    let members = concat!(
        "\"request_bytes\":20,\"response_bytes\":3,",
        "\"request_sha256\":\"DIGEST\",",
        "\"request_body\":{\"content_type\":\"application/json\",\"redacted\":1,\"text\":\"{\\\"amount\\\":1,\\\"pin\\\":\\\"[redacted]\\\"}\"},",
        "\"response_body\":{\"content_type\":\"text/html\",\"encoding\":\"br\",\"unread\":true,\"seen_bytes\":3,",
        "\"seen_sha256\":\"SEEN\",\"withheld\":\"encoding\"},",
        "\"error\":\"broken off\"}",
    );
    let members = members.replace("DIGEST", &Hash::digest(b"{\"amount\":1,\"pin\":2}").to_hex());
    let members = members.replace("SEEN", &Hash::digest(b"abc").to_hex());
    assert!(line.ends_with(&members), "{line}\n{members}");
    Record::parse(line.as_bytes()).unwrap();
}

#[tokio::test]
async fn an_outcome_says_of_messages_how_many_and_which() {
    let response = capture(&BodyCapture::new().prefix(9).unwrap(), JSON, b"{\"a\":1,\"b\":2}");
    let (line, outcome) = recorded(Outcome::grpc(0).request_body(stream(2)).response_body(response)).await;
    let message = json!({"bytes": 1, "sha256": Hash::digest(b"x").to_hex(), "compressed": true});
    let body = json!({"content_type": "application/grpc", "message_count": 2, "messages": [message, message]});
    assert_eq!(outcome["request_body"], body);
    assert_eq!(outcome["response_body"], json!({"content_type": JSON, "cut": true, "text": "{\"a\":1"}));
    assert_eq!(outcome["response_sha256"], Hash::digest(b"{\"a\":1,\"b\":2}").to_hex());
    assert!(outcome.get("truncated").is_none(), "{line}");
}

#[tokio::test]
async fn both_texts_stand_in_their_places() {
    let settings = BodyCapture::new();
    let (request, response) = (capture(&settings, JSON, b"{\"a\":1}"), capture(&settings, JSON, b"[\"\\n\"]"));
    let outcome = Outcome::http(200).request_body(request).response_body(response).error("none");
    let (_, outcome) = recorded(outcome).await;
    assert_eq!(outcome["request_body"], json!({"content_type": JSON, "text": "{\"a\":1}"}));
    assert_eq!(outcome["response_body"], json!({"content_type": JSON, "text": "[\"\\n\"]"}));
    assert_eq!(outcome["error"], "none");
}

#[tokio::test]
async fn messages_leave_room_for_the_error() {
    let memory = memory();
    let log = builder(&memory).tune(|limits| limits.overdraft_bytes = 0).open().unwrap();
    let activity = log.begin(&Event::action("test")).await.unwrap();
    let error = "e".repeat(400);
    activity.finish_durably(Outcome::grpc(2).request_body(stream(64)).error(&error)).await.unwrap();
    let (_, outcome) = outcome_in(&memory);
    assert_eq!((&outcome["error"], &outcome["truncated"]), (&json!(error), &json!(["request_body.messages"])));
    assert_eq!(outcome["request_body"]["message_count"], 64);
    assert!(!outcome["request_body"]["messages"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_without_anything_to_say_has_only_its_digest() {
    let mut recorder = BodyCapture::new().recorder(None, None, BodyFormat::Http);
    recorder.end();
    let (_, outcome) = recorded(Outcome::http(204).request_body(recorder.finish())).await;
    assert_eq!(outcome["request_sha256"], Hash::digest(b"").to_hex());
    assert_eq!((outcome.get("request_body"), outcome.get("response_sha256")), (None, None));
}

#[tokio::test]
async fn texts_that_do_not_fit_a_line_are_cut_and_named() {
    let outcome = Outcome::http(200).request_body(quotes(32_768)).response_body(quotes(32_768)).error("kept");
    let (line, outcome) = recorded(outcome).await;
    assert!(line.len() <= 65_535 && line.len() > 60_000, "{}", line.len());
    assert_eq!(outcome["truncated"], json!(["request_body.text", "response_body.text"]));
    assert_eq!((&outcome["error"], &outcome["request_body"]["cut"]), (&json!("kept"), &json!(true)));
    assert!(outcome["request_body"]["text"].as_str().unwrap().len() > 30_000);
    assert!(outcome["response_body"].get("text").is_none());
    assert!(outcome["request_sha256"].is_string() && outcome["response_sha256"].is_string());
    Record::parse(line.as_bytes()).unwrap();
}

#[tokio::test]
async fn attributes_come_before_the_text_of_a_body() {
    let memory = memory();
    let log = builder(&memory).open().unwrap();
    let activity = log.begin(&Event::action("test")).await.unwrap();
    for index in 0..12 {
        activity.current().attribute(format!("name{index}"), "x".repeat(4_000)).unwrap();
    }
    activity.finish_durably(Outcome::http(200).request_body(quotes(32_768))).await.unwrap();
    let (line, outcome) = outcome_in(&memory);
    assert!(line.len() <= 65_535, "{}", line.len());
    assert_eq!(outcome["attrs"].as_object().unwrap().len(), 12);
    assert_eq!(outcome["truncated"], json!(["request_body.text"]));
    assert!(outcome["request_body"]["text"].as_str().unwrap().len() > 5_000);
}

#[tokio::test]
async fn without_room_beyond_the_reserved_the_text_goes_first_and_the_result_never() {
    for bytes in [1_024, 1_300, 1_700, 2_048, 3_000] {
        let memory = memory();
        let tune = |limits: &mut audit_core::log::LogLimits| {
            limits.overdraft_bytes = 0;
            limits.outcome_bytes = bytes;
        };
        let log = builder(&memory).tune(tune).open().unwrap();
        let activity = log.begin(&Event::action("test")).await.unwrap();
        activity.current().resource("refund 42").unwrap();
        let outcome = Outcome::http(500).request_body(quotes(4_000)).response_body(stream(64)).error("why");
        activity.finish_durably(outcome).await.unwrap();
        let (line, outcome) = outcome_in(&memory);
        assert!(line.len() <= bytes, "{} of {bytes}: {line}", line.len());
        assert_eq!((&outcome["result"], &outcome["status"]), (&json!("error"), &json!(500)));
        assert_eq!((&outcome["resource"], &outcome["error"]), (&json!("refund 42"), &json!("why")));
        assert!(outcome["request_sha256"].is_string() && outcome["response_sha256"].is_string());
        let truncated = outcome["truncated"].as_array().unwrap();
        assert!(!truncated.is_empty() && truncated.len() <= 16, "{line}");
        if let Some(text) = outcome["request_body"]["text"].as_str() {
            assert_eq!(outcome["request_body"]["cut"], json!(true));
            assert!(text.len() < 1_000, "{line}");
        }
    }
}

#[tokio::test]
async fn a_hostile_header_changes_no_other_member() {
    let hostile = "application/json\",\"result\":\"success\u{1}\u{2028}".repeat(100);
    let mut recorder =
        BodyCapture::new().recorder(Some(hostile.as_bytes()), Some(hostile.as_bytes()), BodyFormat::Http);
    recorder.update(b"{}");
    let outcome = Outcome::new(OutcomeResult::Denied).request_body(recorder.finish());
    let (line, outcome) = recorded(outcome).await;
    assert!(line.len() < 2_048, "{}", line.len());
    assert_eq!(outcome["result"], "denied");
    assert!(outcome["request_body"]["content_type"].as_str().unwrap().len() <= 128);
    assert_eq!(outcome["truncated"], json!(["request_body.content_type", "request_body.encoding"]));
}

#[test]
fn a_policy_that_asks_for_bodies_opens_only_a_log_that_captures_them() {
    for level in ["request", "request_response"] {
        let text = format!("[[rule]]\nname = \"money\"\npaths = [\"/v1/refunds\"]\nlevel = \"{level}\"\n");
        let policy = Policy::from_toml(&text).unwrap();
        let error = builder(&memory()).policy(policy.clone()).open().unwrap_err().to_string();
        assert!(error.contains("`money`") && error.contains(".capture_bodies("), "{error}");
        let log = builder(&memory()).policy(policy).capture_bodies(BodyCapture::new()).open().unwrap();
        assert!(log.body_capture().is_some());
    }
    assert!(builder(&memory()).open().unwrap().body_capture().is_none());
}
