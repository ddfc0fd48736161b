use audit_core::capture::{BodyCapture, Withheld};

use crate::support::{capture, form};

const FORM: &str = "application/x-www-form-urlencoded";

fn text(body: &str) -> String {
    form(body).text().unwrap().to_owned()
}

#[test]
fn values_under_names_of_credentials_are_replaced() {
    let captured = form("user=ada&password=hunter2&amount=1+%E2%82%AC&&pin=");
    assert_eq!(captured.text(), Some("user=ada&password=[redacted]&amount=1+%E2%82%AC&&pin=[redacted]"));
    assert_eq!((captured.redacted(), captured.is_cut()), (2, false));
}

#[test]
fn names_are_compared_decoded() {
    assert_eq!(text("%70ass%77ord=hunter2"), "%70ass%77ord=[redacted]");
    assert_eq!(text("user%5Bpassword%5D=x"), "user%5Bpassword%5D=[redacted]");
    assert_eq!(text("api+key=x&a+b=y"), "api+key=[redacted]&a+b=y");
}

#[test]
fn parts_of_a_name_are_compared_too() {
    let settings = BodyCapture::new().redact_name("ssn").unwrap().redact_pointer("/card/*/number").unwrap();
    let settings = settings.redact_pointer("/a.b").unwrap();
    let text = |body: &str| capture(&settings, FORM, body.as_bytes()).text().unwrap().to_owned();
    assert_eq!(text("user[ssn]=1&user.ssn=2&xssn=3"), "user[ssn]=[redacted]&user.ssn=[redacted]&xssn=3");
    assert_eq!(
        text("card[0][number]=1&card[0][name]=2&number=3"),
        "card[0][number]=[redacted]&card[0][name]=2&number=3"
    );
    assert_eq!(text("a.b=1&a.c=2"), "a.b=[redacted]&a.c=2");
}

#[test]
fn a_pair_that_a_server_may_end_at_a_semicolon_hides_all_its_value() {
    assert_eq!(text("a=1;password=x&b=2;c=3"), "a=[redacted]&b=2;c=3");
    assert_eq!(text("password=a;b=c"), "password=[redacted]");
    assert_eq!(text("a=1;password"), "a=[redacted]");
    let settings = BodyCapture::new().redact_pointer("/card/number").unwrap();
    let captured = capture(&settings, FORM, b"a=1;card[number]=2&b=3;card[name]=4");
    assert_eq!(captured.text(), Some("a=[redacted]&b=3;card[name]=4"));
}

#[test]
fn a_value_that_carries_a_secret_in_itself_is_replaced() {
    assert_eq!(text("payload=%7B%22password%22%3A%22x%22%7D&n=1"), "payload=[redacted]&n=1");
    assert_eq!(text("next=https%3A%2F%2Fa.example%2F%3Ftoken%3Dabc"), "next=[redacted]");
}

#[test]
fn what_has_no_name_is_replaced() {
    assert_eq!(text("eyJhbGciOiJub25lIn0"), "[redacted]");
    assert_eq!(text("a=1&b"), "a=1&[redacted]");
}

#[test]
fn what_is_no_form_is_withheld_whole() {
    for body in ["{\"password\":\"x=y\"}", "a%zz=1", "a%4=1", "%ff=1", "a=1\n", "<a>=1", "caf\u{e9}=1", "a=1&\"b\"=2"] {
        let captured = form(body);
        assert_eq!((captured.text(), captured.withheld()), (None, Some(Withheld::Malformed)), "{body}");
    }
    assert_eq!(text("{\"password\":\"x\"}"), "[redacted]");
}

#[test]
fn a_prefix_ends_behind_the_last_whole_pair() {
    let body = "a=1&token=abcdef&b=2";
    for (length, kept) in [(3, None), (4, Some("a=1")), (16, Some("a=1")), (20, Some("a=1&token=[redacted]"))] {
        let settings = BodyCapture::new().prefix(length).unwrap();
        let body = format!("{body}&c=3");
        let captured = capture(&settings, FORM, body.as_bytes());
        assert_eq!(captured.text().filter(|text| !text.is_empty()), kept, "{length}");
        assert!(captured.is_cut());
    }
}
