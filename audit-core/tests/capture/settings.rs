use std::fs;
use std::os::unix::fs::PermissionsExt;

use audit_core::capture::{BodyCapture, BodyFormat, CaptureError, CapturedBody, Withheld};
use audit_core::redaction::{LogSecret, SecretError};

use crate::support::capture;

fn with_headers(settings: &BodyCapture, content_type: Option<&str>, encoding: Option<&str>) -> CapturedBody {
    let mut recorder =
        settings.recorder(content_type.map(str::as_bytes), encoding.map(str::as_bytes), BodyFormat::Http);
    recorder.update(b"{\"a\":1}");
    recorder.end();
    recorder.finish()
}

#[test]
fn text_is_kept_of_json_in_utf_8_and_of_nothing_else() {
    let settings = BodyCapture::new();
    for content_type in [
        "application/json",
        "Application/JSON",
        "application/json;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "application/problem+json",
        "application/vnd.api.v2+json; profile=x",
        "text/json",
        "application/json; charset=us-ascii",
    ] {
        assert_eq!(with_headers(&settings, Some(content_type), None).text(), Some("{\"a\":1}"), "{content_type}");
    }
    for content_type in [
        "",
        "text/plain",
        "text/html",
        "application/octet-stream",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json, text/plain",
        "application/x-ndjson",
        "application/json-seq",
        "+json",
        "a b+json",
        "application/jsonp",
        "multipart/related; type=\"application/json\"",
    ] {
        let captured = with_headers(&settings, Some(content_type), None);
        assert_eq!((captured.text(), captured.withheld()), (None, Some(Withheld::ContentType)), "{content_type}");
    }
    assert_eq!(with_headers(&settings, None, None).withheld(), Some(Withheld::ContentType));
    for charset in ["utf-16", "iso-8859-1", "utf-7", "utf-8; charset=utf-16", "utf-16; charset=utf-8", ""] {
        let content_type = format!("application/json; charset={charset}");
        assert_eq!(with_headers(&settings, Some(&content_type), None).withheld(), Some(Withheld::Charset), "{charset}");
    }
}

#[test]
fn a_content_type_that_is_no_text_does_no_harm() {
    let mut recorder = BodyCapture::new().recorder(Some(b"\xff\xfe/json"), Some(b"\xff"), BodyFormat::Http);
    recorder.update(b"{}");
    let captured = recorder.finish();
    assert_eq!((captured.content_type(), captured.encoding()), (Some("\u{fffd}\u{fffd}/json"), Some("\u{fffd}")));
    assert_eq!(captured.text(), None);
}

#[test]
fn compressed_bodies_are_hashed_as_sent_and_marked() {
    let settings = BodyCapture::new();
    for (encoding, marked) in [("gzip", "gzip"), ("GZIP, br", "GZIP, br"), ("identity, zstd ", "identity, zstd")] {
        let captured = with_headers(&settings, Some("application/json"), Some(encoding));
        assert_eq!(captured.encoding(), Some(marked));
        assert_eq!((captured.text(), captured.withheld()), (None, Some(Withheld::Encoding)));
        assert!(captured.sha256().is_some());
    }
    for encoding in ["identity", "Identity", "", " ", "identity,identity"] {
        let captured = with_headers(&settings, Some("application/json"), Some(encoding));
        assert_eq!((captured.encoding(), captured.text()), (None, Some("{\"a\":1}")));
    }
}

#[test]
fn plain_text_is_kept_only_when_asked_for_and_cut_between_characters() {
    let settings = BodyCapture::new().prefix(6).unwrap();
    assert_eq!(capture(&settings, "text/plain", "caf\u{e9}s".as_bytes()).text(), None);
    let settings = settings.plain_text();
    let captured = capture(&settings, "text/plain; charset=utf-8", "caf\u{e9}s".as_bytes());
    assert_eq!((captured.text(), captured.is_cut()), (Some("caf\u{e9}s"), false));
    let captured = capture(&settings, "text/plain", "cafes\u{e9}".as_bytes());
    assert_eq!((captured.text(), captured.is_cut()), (Some("cafes"), true));
    assert_eq!(capture(&settings, "text/plain", b"caf\xe9").withheld(), Some(Withheld::Malformed));
}

#[test]
fn without_a_prefix_there_are_only_digests() {
    let settings = BodyCapture::new().prefix(0).unwrap();
    let captured = with_headers(&settings, Some("application/json"), None);
    assert_eq!((captured.text(), captured.withheld()), (None, None));
    assert!(captured.sha256().is_some());
}

#[test]
fn beyond_the_shared_memory_only_digests_are_kept() {
    let settings = BodyCapture::new().prefix(1_000).unwrap().shared_memory(2_500);
    let start = || {
        let mut recorder = settings.clone().recorder(Some(b"application/json"), None, BodyFormat::Http);
        recorder.update(b"{\"a\":");
        recorder
    };
    let end = |mut recorder: audit_core::capture::BodyRecorder| {
        recorder.update(b"1}");
        recorder.end();
        recorder.finish()
    };
    let (one, two, three) = (start(), start(), start());
    let refused = end(three);
    assert_eq!((refused.text(), refused.withheld()), (None, Some(Withheld::Memory)));
    assert!(refused.sha256().is_some());
    // What is finished takes as much as its text.
    let finished = [end(one), end(two)];
    let others: Vec<_> = (0..2).map(|_| start()).collect();
    assert_eq!(end(start()).withheld(), Some(Withheld::Memory));
    drop((finished, others));
    let all: Vec<_> = (0..2).map(|_| start()).map(end).collect();
    assert!(all.iter().all(|captured| captured.text() == Some("{\"a\":1}")));
    // A recorder that never sees a byte takes nothing.
    let _idle: Vec<_> =
        (0..100).map(|_| settings.recorder(Some(b"application/json"), None, BodyFormat::Http)).collect();
    assert_eq!(end(start()).text(), Some("{\"a\":1}"));
}

#[test]
fn nothing_that_was_kept_is_printed_by_debug() {
    let mut recorder = BodyCapture::new().recorder(Some(b"application/json"), None, BodyFormat::Http);
    recorder.update(b"{\"password\":\"hunter2\"}");
    assert!(!format!("{recorder:?}").contains("hunter2"));
    let bytes: Vec<u8> = b"hunter2".iter().copied().chain(1..=32).collect();
    let settings = BodyCapture::new().secret(LogSecret::from_bytes(&bytes).unwrap());
    assert!(format!("{settings:?}").contains("LogSecret(..)"));
    assert!(!format!("{settings:?}").contains("hunter2") && !format!("{settings:?}").contains("104, 117"));
}

#[test]
fn every_setting_has_a_limit_and_says_so() {
    let too_large = |settings: Result<BodyCapture, CaptureError>| settings.unwrap_err().to_string();
    assert_eq!(too_large(BodyCapture::new().prefix(32_769)), "body capture: `prefix` is 32769, the most is 32768");
    assert_eq!(too_large(BodyCapture::new().messages(65)), "body capture: `messages` is 65, the most is 64");
    let mut names = BodyCapture::new();
    let mut pointers = BodyCapture::new();
    for index in 0..64 {
        names = names.redact_name(&format!("name{index}")).unwrap();
        pointers = pointers.redact_pointer(&format!("/name{index}")).unwrap();
    }
    assert_eq!(names.clone().redact_name("one").unwrap_err(), CaptureError::TooManyRules { most: 64 });
    assert_eq!(pointers.clone().redact_pointer("/one").unwrap_err(), CaptureError::TooManyRules { most: 64 });
    for settings in [names, pointers] {
        let kept = capture(&settings, "application/json", b"{\"name63\":1,\"name64\":2}");
        assert_eq!(kept.text(), Some("{\"name63\":\"[redacted]\",\"name64\":2}"));
    }
}

#[test]
fn what_is_no_pattern_or_pointer_is_refused() {
    let long = "x".repeat(129);
    for (pattern, fault) in [("", "empty"), (long.as_str(), "longer than 128"), ("a\nb", "control")] {
        let error = BodyCapture::new().redact_name(pattern).unwrap_err();
        assert!(matches!(&error, CaptureError::Pattern { .. }) && error.to_string().contains(fault), "{error}");
    }
    let (long, deep) = (format!("/{}", "x".repeat(1_024)), "/x".repeat(65));
    let pointers = [
        ("card", "start with `/`"),
        ("/a~2", "`~0`"),
        ("/a~", "`~0`"),
        (&long, "longer than 1,024"),
        (&deep, "64 levels"),
    ];
    for (pointer, fault) in pointers {
        let error = BodyCapture::new().redact_pointer(pointer).unwrap_err();
        assert!(matches!(&error, CaptureError::Pointer { .. }) && error.to_string().contains(fault), "{error}");
    }
    assert!(BodyCapture::new().redact_pointer(&"/x".repeat(64)).is_ok());
}

#[test]
fn a_pattern_made_to_be_slow_is_not() {
    let settings = BodyCapture::new().redact_name(&"*a".repeat(64)).unwrap();
    let name = format!("{}b", "a".repeat(63).repeat(16));
    let body = format!("{{\"{}\":1}}", name.get(..1_000).unwrap());
    let start = std::time::Instant::now();
    assert!(capture(&settings, "application/json", body.as_bytes()).text().is_some());
    assert!(start.elapsed() < std::time::Duration::from_secs(1));
}

#[test]
fn a_log_secret_has_32_to_4096_bytes_that_are_not_all_the_same() {
    let bytes: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    for length in [0, 31, 4_097] {
        let error = LogSecret::from_bytes(&bytes[..length]).unwrap_err();
        assert!(matches!(error, SecretError::Length { bytes } if bytes == length), "{error}");
    }
    assert!(matches!(LogSecret::from_bytes(&[7; 64]).unwrap_err(), SecretError::Constant));
    assert!(LogSecret::from_bytes(&bytes[..32]).is_ok() && LogSecret::from_bytes(&bytes[..4_096]).is_ok());
}

#[test]
fn a_log_secret_in_a_file_is_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    assert!(matches!(LogSecret::from_file(&path).unwrap_err(), SecretError::Read { .. }));
    fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
    for others in [0o644, 0o640, 0o620, 0o604, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(others)).unwrap();
        let error = LogSecret::from_file(&path).unwrap_err();
        assert!(matches!(error, SecretError::Exposed { mode, .. } if mode == others), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let hidden = |secret: LogSecret| {
        let settings = BodyCapture::new().secret(secret).correlate_name("iban").unwrap();
        capture(&settings, "application/json", b"{\"iban\":1}").text().unwrap().to_owned()
    };
    let bytes = LogSecret::from_bytes(b"0123456789abcdef0123456789abcdef").unwrap();
    assert_eq!(hidden(LogSecret::from_file(&path).unwrap()), hidden(bytes));
    fs::write(&path, "x".repeat(4_098)).unwrap();
    assert!(matches!(LogSecret::from_file(&path).unwrap_err(), SecretError::Length { .. }));
}

#[test]
fn recorders_and_what_they_make_go_from_thread_to_thread() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<BodyCapture>();
    shared::<audit_core::capture::BodyRecorder>();
    shared::<CapturedBody>();
}
