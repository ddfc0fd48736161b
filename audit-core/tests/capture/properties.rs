//! Secrets in made-up bodies, cut and fed in any way, never get into a record.

use audit_core::capture::{BodyCapture, BodyFormat, CapturedBody};
use audit_core::redaction::LogSecret;
use audit_core::{AuditLog, Event, Memory, Outcome};
use base64ct::{Base64, Encoding};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{builder, memory};

/// Stands in every secret, and nowhere else.
const SECRET: &str = "Qz9secretzQ";

const FORM: &str = "application/x-www-form-urlencoded";

/// The secret as digits.
const SECRET_DIGITS: &str = "918273645546372";

const SECRET_NAMES: [&str; 8] =
    ["password", "x-api-key", "accessToken", "PIN", "fromIBANto", "client_secret", "\\u0070assw\\u006frd", "s\\u0069d"];

/// JSON of which it is known what has to be hidden.
#[derive(Clone, Debug)]
enum Node {
    Scalar(String),
    /// A text that has to be found where it is whole.
    Marker,
    /// A secret wherever it stands below a secret name, else a number.
    Secret(u8),
    List(Vec<Node>),
    /// Members; of a secret name where there is one.
    Object(Vec<(Option<usize>, Node)>),
}

fn node() -> impl Strategy<Value = Node> {
    let scalar = prop_oneof![
        "[a-z \u{e9}\u{1f600}]{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        "[a-z]{0,3}".prop_map(|text| format!("\"\\u00e9\\n\\\"{text}\"")),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
        prop_oneof![Just("true"), Just("false"), Just("null"), Just("{}"), Just("[ ]")].prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        3 => scalar.prop_map(Node::Scalar),
        1 => Just(Node::Marker),
        2 => any::<u8>().prop_map(Node::Secret),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let member = (prop::option::of(0..SECRET_NAMES.len()), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Node::List),
            prop::collection::vec(member, 0..6).prop_map(Node::Object),
        ]
    })
}

/// A body, and what is to be kept of it.
#[derive(Debug, Default)]
struct Body {
    sent: String,
    kept: String,
    /// Where values end that have to be found: in what is sent, in what is kept, and which.
    markers: Vec<(usize, usize, String)>,
    members: usize,
}

impl Body {
    fn push(&mut self, text: &str, hidden: bool) {
        self.sent.push_str(text);
        if !hidden {
            self.kept.push_str(text);
        }
    }

    fn write(&mut self, node: &Node, hidden: bool) {
        match node {
            Node::Scalar(text) => self.push(text, hidden),
            Node::Marker if hidden => self.push("\"m\"", true),
            Node::Marker => {
                let marker = format!("marker{}", self.markers.len());
                self.push(&format!("\"{marker}\""), false);
                self.markers.push((self.sent.len(), self.kept.len(), marker));
            }
            Node::Secret(_) if !hidden => self.push("7", false),
            Node::Secret(way) => self.push(&secret(*way), true),
            Node::List(nodes) => self.list('[', ']', nodes, hidden, |body, node| body.write(node, hidden)),
            Node::Object(members) => self.list('{', '}', members, hidden, |body, (name, node)| {
                body.members += 1;
                let number = body.members;
                match name {
                    Some(index) => {
                        body.push(&format!("\"{}{number}\" : ", SECRET_NAMES[*index]), hidden);
                        body.write(node, true);
                        if !hidden {
                            body.kept.push_str("\"[redacted]\"");
                        }
                    }
                    None => {
                        body.push(&format!("\"n{number}\":"), hidden);
                        body.write(node, hidden);
                    }
                }
            }),
        }
    }

    fn list<T>(&mut self, open: char, close: char, items: &[T], hidden: bool, write: impl Fn(&mut Self, &T)) {
        self.push(&open.to_string(), hidden);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.push(", ", hidden);
            }
            write(self, item);
        }
        self.push(&close.to_string(), hidden);
    }
}

fn secret(way: u8) -> String {
    match way % 4 {
        0 => format!("\"{SECRET}\""),
        1 => SECRET_DIGITS.to_owned(),
        2 => format!(
            "\"{}\"",
            SECRET.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect::<String>()
        ),
        _ => format!("\"\\\"{SECRET}\\\\\""),
    }
}

/// How long the prefix is, where the chunks are cut, and whether all of it came.
type Way = (usize, Vec<usize>, bool);

fn way() -> impl Strategy<Value = Way> {
    let prefix = prop_oneof![1_usize..200, Just(4_096_usize), 200_usize..2_000];
    (prefix, prop::collection::vec(1_usize..40, 1..20), any::<bool>())
}

fn settings(prefix: usize) -> BodyCapture {
    BodyCapture::new().prefix(prefix).unwrap().redact_name("*iban*").unwrap()
}

/// The same, with an HMAC in the place of every value under a name.
fn correlating(prefix: usize) -> BodyCapture {
    let secret = LogSecret::from_bytes(b"0123456789abcdef0123456789abcdef").unwrap();
    settings(prefix).secret(secret).correlate_name("*").unwrap()
}

fn send(content_type: &str, body: &[u8], way: &Way) -> CapturedBody {
    send_to(&settings(way.0), content_type, body, way)
}

fn send_to(settings: &BodyCapture, content_type: &str, body: &[u8], (_, sizes, ended): &Way) -> CapturedBody {
    let mut recorder = settings.recorder(Some(content_type.as_bytes()), None, BodyFormat::Http);
    let mut rest = body;
    for size in sizes.iter().cycle() {
        let (chunk, behind) = rest.split_at((*size).min(rest.len()));
        recorder.update(chunk);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    if *ended {
        recorder.end();
    }
    recorder.finish()
}

/// A log, to which outcomes are written one after the other.
struct Written {
    runtime: tokio::runtime::Runtime,
    log: AuditLog,
    memory: Memory,
}

impl Written {
    fn new() -> Self {
        let (memory, runtime) = (memory(), tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
        Self { runtime, log: builder(&memory).open().unwrap(), memory }
    }

    /// The line with these bodies.
    fn line(&self, request: CapturedBody, response: CapturedBody) -> String {
        let outcome = Outcome::http(200).request_body(request).response_body(response);
        self.runtime.block_on(async {
            let activity = self.log.begin(&Event::action("test")).await.unwrap();
            activity.finish_durably(outcome).await.unwrap();
        });
        let lines = self.memory.lines();
        let last = lines.iter().rev().find(|line| line.windows(12).any(|part| part == b"request_body"));
        String::from_utf8(last.or(lines.last()).unwrap().clone()).unwrap()
    }
}

/// Fails when a secret stands in `line`, in whatever way.
fn assert_hidden(line: &str) -> Result<(), TestCaseError> {
    let escaped: String = SECRET.chars().map(|character| format!("u{:04x}", u32::from(character))).collect();
    let mut ways = vec![SECRET.to_owned(), SECRET_DIGITS.to_owned(), escaped];
    for secret in [SECRET, SECRET_DIGITS] {
        for before in ["", "a", "ab"] {
            // The characters in the middle are the same whatever stands around.
            let encoded = Base64::encode_string(format!("{before}{secret}").as_bytes());
            ways.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    for way in ways {
        prop_assert!(!line.contains(&way), "{way} in {line}");
    }
    Ok(())
}

fn runner() -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, cases: 400, ..Config::default() })
}

#[test]
fn no_secret_of_a_json_body_gets_into_the_record_and_markers_do() {
    let written = Written::new();
    let run = |(node, way): (Node, Way)| {
        let mut body = Body::default();
        body.write(&node, false);
        let captured = send("application/json", body.sent.as_bytes(), &way);
        let (prefix, ended) = (way.0, way.2);
        prop_assert_eq!(captured.withheld(), None);
        let text = captured.text().unwrap().to_owned();
        prop_assert!(body.kept.starts_with(&text) && text.len() <= prefix, "{} of {}", text, body.kept);
        if ended && body.sent.len() <= prefix && body.kept.len() <= prefix {
            prop_assert_eq!(&text, &body.kept);
        }
        prop_assert_eq!(captured.is_cut(), !ended || text != body.kept || body.sent.len() > prefix);
        let line =
            written.line(captured, send_to(&correlating(prefix), "application/json", body.sent.as_bytes(), &way));
        assert_hidden(&line)?;
        for (sent, kept, marker) in &body.markers {
            if *sent <= prefix && *kept <= prefix {
                prop_assert!(line.contains(marker.as_str()), "{} not in {}", marker, line);
            }
        }
        Ok(())
    };
    runner().run(&(node(), way()), run).unwrap();
}

/// Pairs: whether secret, which way the name is encoded, and a value.
fn pairs() -> impl Strategy<Value = Vec<(bool, bool, String)>> {
    prop::collection::vec((any::<bool>(), any::<bool>(), "[a-z0-9+._-]{0,8}"), 0..12)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn no_secret_of_a_form_gets_into_the_record_and_markers_do() {
    let written = Written::new();
    let run = |(pairs, way): (Vec<(bool, bool, String)>, Way)| {
        let (mut sent, mut kept, mut markers) = (String::new(), String::new(), Vec::new());
        for (index, (is_secret, is_encoded, value)) in pairs.iter().enumerate() {
            let name = format!("{}{index}", if *is_secret { "user[Pass_Word]" } else { "n" });
            let name = if *is_encoded { encoded(&name) } else { name };
            let separator = if index > 0 { "&" } else { "" };
            if *is_secret {
                let secret = if *is_encoded { encoded(SECRET) } else { format!("{SECRET}{value}") };
                sent.push_str(&format!("{separator}{name}={secret}"));
                kept.push_str(&format!("{separator}{name}=[redacted]"));
            } else {
                let pair = format!("{separator}{name}=marker{index}x{value}");
                sent.push_str(&pair);
                kept.push_str(&pair);
                markers.push((sent.len(), kept.len(), format!("marker{index}x")));
            }
        }
        let captured = send(FORM, sent.as_bytes(), &way);
        let (prefix, ended) = (way.0, way.2);
        let text = captured.text().unwrap_or_default().to_owned();
        prop_assert_eq!(captured.withheld(), None);
        prop_assert!(kept.starts_with(&text) && text.len() <= prefix, "{} of {}", text, kept);
        let line = written.line(captured, send_to(&correlating(prefix), FORM, sent.as_bytes(), &way));
        assert_hidden(&line)?;
        prop_assert!(!line.contains(&encoded(SECRET)));
        for (at, in_kept, marker) in markers {
            // The pair behind which nothing comes is known to be whole only at the end of the body.
            let whole = at < prefix && at < sent.len() || ended && sent.len() <= prefix;
            if whole && in_kept <= prefix {
                prop_assert!(line.contains(&marker), "{} not in {}", marker, line);
            }
        }
        Ok(())
    };
    runner().run(&(pairs(), way()), run).unwrap();
}

/// Every member under a name of a credential holds the placeholder.
fn is_redacted(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(members) => members
            .iter()
            .all(|(name, value)| if name.contains("pin") { value == "[redacted]" } else { is_redacted(value) }),
        serde_json::Value::Array(values) => values.iter().all(is_redacted),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_for_json_is_json_to_others_too(body in "([\\[\\]{},:\" \n]|\"pin\"|\"a\"|\"b\"|\"pin\":|\"c\":|-?[0-9.]{1,3}|1e[+-]?|tru?e|null|\\\\u0070in|\\\\[nu\"]|\u{e9}){0,12}") {
        let captured = send("application/json", body.as_bytes(), &(4_096, vec![7], true));
        let parsed = serde_json::from_str::<serde_json::Value>(&body);
        match captured.text() {
            Some(text) => {
                prop_assert!(parsed.is_ok(), "{}", body);
                prop_assert!(is_redacted(&serde_json::from_str(text).unwrap()), "{}", text);
            }
            None => prop_assert!(parsed.is_err() || captured.withheld() == Some(audit_core::capture::Withheld::DuplicateName), "{}", body),
        }
    }

    #[test]
    fn whatever_comes_is_hashed_and_bounded(body in prop::collection::vec(any::<u8>(), 0..400), way in way(), which in 0..4_usize) {
        let content_type = ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/grpc"][which];
        let captured = send(content_type, &body, &way);
        prop_assert_eq!(captured.seen_sha256(), audit_core::evidence::Hash::digest(&body));
        prop_assert!(captured.text().unwrap_or_default().len() <= way.0);
        let mut recorder = BodyCapture::new().recorder(Some(b"application/grpc"), None, BodyFormat::Grpc);
        body.chunks(way.1[0]).for_each(|chunk| recorder.update(chunk));
        prop_assert!(recorder.finish().messages().len() <= 8);
    }
}
