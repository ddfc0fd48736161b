//! What each answer of a store means for a batch: surely not written, perhaps, no room, never.

use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::Sample;

use crate::fixture::{Scene, soon};
use crate::front::{Front, refusal};

#[test]
fn every_answer_is_taken_for_what_it_says() {
    type Meaning = fn(&BackendError) -> bool;
    let unknown: Meaning = |error| matches!(error, BackendError::Unknown { .. });
    let not_written: Meaning = |error| matches!(error, BackendError::Unavailable { .. });
    let full: Meaning = |error| matches!(error, BackendError::Full { .. });
    let fatal: Meaning = |error| matches!(error, BackendError::Misconfigured { .. });
    let cases: [(String, Meaning, &str); 15] = [
        (refusal("500 Internal Server Error", "InternalError"), unknown, "InternalError"),
        (refusal("502 Bad Gateway", ""), unknown, "502"),
        (refusal("503 Service Unavailable", "SlowDown"), not_written, "SlowDown"),
        // Somebody between us and the store may have said that, after the store had the request.
        (refusal("503 Service Unavailable", "ServiceUnavailable"), unknown, "ServiceUnavailable"),
        (refusal("504 Gateway Timeout", ""), unknown, "504"),
        (refusal("507 Insufficient Storage", ""), full, "507"),
        (refusal("403 Forbidden", "QuotaExceeded"), full, "QuotaExceeded"),
        (refusal("403 Forbidden", "AccessDenied"), not_written, "the credentials may not do this"),
        (refusal("403 Forbidden", "RequestTimeTooSkewed"), not_written, "the clock of this machine is wrong"),
        (refusal("400 Bad Request", "ExpiredToken"), not_written, "the session token has expired"),
        (refusal("409 Conflict", "ConditionalRequestConflict"), not_written, "ConditionalRequestConflict"),
        (refusal("404 Not Found", "NoSuchBucket"), fatal, "there is no such bucket"),
        (refusal("301 Moved Permanently", "PermanentRedirect"), fatal, "the region or the endpoint is wrong"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut".to_owned(), unknown, ""),
        ("SMTP ready\r\n".to_owned(), unknown, ""),
    ];
    let front = Front::start();
    let scene = front.before(Scene::on_moto());
    let mut writer = scene.created();
    let mut head = Head::EMPTY;
    for (answer, means, words) in cases {
        let sample = Sample::after(head).lines(2, "there");
        front.say(&answer);
        match writer.append(head, &sample.batch(), soon()) {
            Err(error) if means(&error) => assert!(error.to_string().contains(words), "{words:?} in {error}"),
            other => panic!("{answer:?} was taken for {other:?}"),
        }
        front.pass();
        writer.append(head, &sample.batch(), soon()).expect("the same batch is taken afterwards");
        head = sample.head();
    }
    assert_eq!(writer.head(soon()).expect("it has a head"), head);
}

#[test]
fn where_something_is_under_the_key_nobody_says_that_nothing_was_written() {
    let front = Front::start();
    let scene = front.before(Scene::on_moto());
    let mut writer = scene.created();
    let mut earlier = scene.writer();
    earlier.open(soon()).expect("it opens");
    let whole = Sample::after(Head::EMPTY).lines(5, "in one batch");
    earlier.append(Head::EMPTY, &whole.first(2).batch(), soon()).expect("it is appended");

    // The store says 412, and then does not show what is there.
    front.say_to("?versions", &refusal("503 Service Unavailable", "SlowDown"));
    let appended = writer.append(Head::EMPTY, &whole.batch(), soon());
    assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
    // Nor does an attempt that is turned away take that back.
    front.say(&refusal("503 Service Unavailable", "SlowDown"));
    let appended = writer.append(Head::EMPTY, &whole.batch(), soon());
    assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
    front.pass();
    // Two of the lines are there; the other three are turned away.
    front.say_to(&format!("PUT /{}/{}", scene.bucket.name(), scene.lines_key(2)), &refusal("503 x", "SlowDown"));
    let appended = writer.append(Head::EMPTY, &whole.batch(), soon());
    assert!(matches!(appended, Err(BackendError::Unknown { .. })), "{appended:?}");
    front.pass();
    writer.append(Head::EMPTY, &whole.batch(), soon()).expect("the rest is appended");
    // From here on it is known again.
    front.say(&refusal("503 Service Unavailable", "SlowDown"));
    let more = Sample::after(whole.head()).lines(1, "more");
    let appended = writer.append(whole.head(), &more.batch(), soon());
    assert!(matches!(appended, Err(BackendError::Unavailable { .. })), "{appended:?}");
}

#[test]
fn only_an_answer_about_rights_says_that_credentials_may_delete() {
    let front = Front::start();
    let scene = front.before(Scene::on_moto()).without("allow_delete_right");
    for (status, code) in [
        ("429 Too Many Requests", "TooManyRequests"),
        ("400 Bad Request", "RequestTimeout"),
        ("409 Conflict", "OperationAborted"),
    ] {
        front.say_to("DELETE /", &refusal(status, code));
        let opened = scene.writer().open(soon());
        let told = matches!(&opened, Err(error @ BackendError::Unavailable { .. }) if error.to_string().contains(code));
        assert!(told, "{code}: {opened:?}");
        front.pass();
    }
    front.say_to("DELETE /", &refusal("405 Method Not Allowed", "MethodNotAllowed"));
    match scene.writer().open(soon()) {
        Err(BackendError::Misconfigured { detail }) => assert!(!detail.contains("DeleteObjectVersion"), "{detail}"),
        other => panic!("{other:?}"),
    }
    front.pass();
    for (status, code) in [("404 Not Found", "NoSuchVersion"), ("400 Bad Request", "InvalidArgument")] {
        front.say_to("DELETE /", &refusal(status, code));
        match scene.writer().open(soon()) {
            Err(BackendError::Misconfigured { detail }) => assert!(detail.contains("DeleteObjectVersion"), "{detail}"),
            other => panic!("{code}: {other:?}"),
        }
        front.pass();
    }

    front.say_to("DELETE /", &refusal("403 Forbidden", "AccessDenied"));
    let mut writer = scene.created();
    let mut synchronizer = writer.synchronizer().expect("it is there");
    assert_eq!(synchronizer.inspect(soon()).expect("it is inspected"), []);
    front.pass();
    front.say_to("DELETE /", &refusal("429 Too Many Requests", "TooManyRequests"));
    let inspected = synchronizer.inspect(soon());
    assert!(inspected.as_ref().is_err_and(BackendError::is_retryable), "{inspected:?}");
}
