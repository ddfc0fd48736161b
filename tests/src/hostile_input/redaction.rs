//! The body of a request, of which a prefix is kept without its secrets.

use std::sync::LazyLock;

use audit_core::capture::{BodyCapture, BodyFormat, CapturedBody};
use audit_core::evidence::Hash;
use serde_json::Value;

const PREFIX: usize = 512;
/// What takes the place of a value, in JSON and in a form.
const PLACEHOLDERS: [&str; 2] = ["[redacted]", "%5Bredacted%5D"];

static CAPTURE: LazyLock<BodyCapture> = LazyLock::new(|| {
    let capture = BodyCapture::new().prefix(PREFIX).and_then(|capture| capture.redact_name("*hidden*"));
    capture.and_then(|capture| capture.redact_pointer("/card/*/number")).expect("these settings are right")
});

/// No value under a secret name is kept, however the body is spelled or cut into pieces, and what
/// is kept of a body that is kept whole is the same document but for the secrets.
///
/// The first byte chooses the kind of body, the second how it is cut.
pub(crate) fn check(data: &[u8]) {
    let [kind, step, body @ ..] = data else {
        return;
    };
    let content_type: &[u8] = match kind % 2 {
        0 => b"application/json",
        _ => b"application/x-www-form-urlencoded",
    };
    let captured = capture(content_type, body, usize::from(*step) + 1);
    let whole = capture(content_type, body, usize::MAX);
    assert_eq!(captured.text(), whole.text(), "pieces change what is kept");
    assert_eq!(captured.withheld(), whole.withheld());
    assert_eq!(captured.bytes(), body.len() as u64);
    assert_eq!(captured.sha256(), Some(Hash::digest(body)));

    let Some(text) = captured.text() else {
        return;
    };
    assert!(text.len() <= PREFIX);
    if kind % 2 == 1 {
        return form(text);
    }
    // Half surrogate pairs and huge numbers are JSON by its grammar, and not to the reader here.
    let sent: Result<Value, _> = serde_json::from_slice(body);
    if let Ok(sent) = sent.as_ref()
        && !captured.is_cut()
    {
        let kept: Value = serde_json::from_str(text).expect("a whole body that is kept is JSON");
        compare(sent, &kept, &mut Vec::new());
    }
}

fn capture(content_type: &[u8], body: &[u8], step: usize) -> CapturedBody {
    let mut recorder = CAPTURE.recorder(Some(content_type), None, BodyFormat::Http);
    body.chunks(step).for_each(|chunk| recorder.update(chunk));
    recorder.end();
    recorder.finish()
}

/// Fails when a secret was kept, or anything else was changed other than being replaced whole.
fn compare(sent: &Value, kept: &Value, path: &mut Vec<String>) {
    let is_secret = path.last().is_some_and(|name| is_secret_name(name))
        || matches!(&path[..], [card, _, number] if card == "card" && number == "number");
    if kept.as_str().is_some_and(|text| PLACEHOLDERS.contains(&text)) {
        return;
    }
    assert!(!is_secret, "the value at {path:?} was kept: {kept}");
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            assert_eq!(sent.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>());
            for (name, value) in sent {
                path.push(name.clone());
                compare(value, &kept[name], path);
                path.pop();
            }
        }
        (Value::Array(sent), Value::Array(kept)) => {
            assert_eq!(sent.len(), kept.len());
            for (index, (sent, kept)) in sent.iter().zip(kept).enumerate() {
                path.push(index.to_string());
                compare(sent, kept, path);
                path.pop();
            }
        }
        _ => assert_eq!(sent, kept),
    }
}

fn form(text: &str) {
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // A name with escapes or marks is left to the tests that decode it.
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && is_secret_name(name) && !value.is_empty() {
            assert!(PLACEHOLDERS.contains(&value), "the value of {name} was kept: {value}");
        }
    }
}

/// Some of the names whose values are always hidden, in a simpler spelling of the rule.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "hidden", "apikey", "credential"].iter().any(|part| name.contains(part))
}
