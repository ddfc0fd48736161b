//! What every call sends and no log may hold, and what every log of a call has to hold.

use std::sync::OnceLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::json;

/// One secret for each way in which a call can carry one, so that a leak names its way.
///
/// Each ends with characters that JSON, URLs and base64 write differently.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// A bearer token: its claims tell who calls, its signature is what lets the holder in.
    pub(crate) token: String,
    pub(crate) each: Vec<Secret>,
}

/// One secret.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    /// How it is sent.
    pub(crate) way: &'static str,
    /// Letters and digits that nothing else has.
    pub(crate) core: String,
}

impl Secret {
    fn new(way: &'static str) -> Self {
        let core = format!("zq{}7k", way.replace(|character: char| !character.is_ascii_alphanumeric(), ""));
        Self { way, core }
    }

    /// What is sent.
    pub(crate) fn text(&self) -> String {
        format!("{}\"\\/+ &=", self.core)
    }
}

impl Secrets {
    /// The secrets of all calls of all cases.
    pub(crate) fn get() -> &'static Self {
        static SECRETS: OnceLock<Secrets> = OnceLock::new();
        SECRETS.get_or_init(Self::new)
    }

    fn new() -> Self {
        let ways = [
            "token signature",
            "token claim",
            "cookie",
            "x-api-key",
            "unlisted header",
            "proxy-authorization",
            "query",
            "body",
            "binary metadata",
            "failure message",
            "panic message",
            "basic password",
            "span field",
            "opaque token",
        ];
        let each: Vec<_> = ways.into_iter().map(Secret::new).collect();
        let text = |way| each.iter().find(|secret| secret.way == way).unwrap().text();
        let part = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let header = json!({ "alg": "RS256", "kid": "3f6a1c" });
        let claims = json!({
            "iss": "https://kubernetes.default.svc",
            "sub": CALLER,
            "jti": "5f1a",
            "exp": 4_102_444_800_u64,
            "note": text("token claim"),
        });
        let token = format!(
            "{}.{}.{}",
            part(header.to_string().as_bytes()),
            part(claims.to_string().as_bytes()),
            part(text("token signature").as_bytes())
        );
        Self { token, each }
    }

    /// The secret that is sent that way.
    pub(crate) fn text(&self, way: &str) -> String {
        self.each.iter().find(|secret| secret.way == way).unwrap().text()
    }

    /// The headers of every call, or the metadata.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("user-agent", MARKER.to_owned()),
            ("authorization", format!("Bearer {}", self.token)),
            ("traceparent", TRACE.to_owned()),
            ("cookie", format!("session={}", self.text("cookie"))),
            ("x-api-key", self.text("x-api-key")),
            ("x-payment-note", self.text("unlisted header")),
            ("proxy-authorization", self.text("proxy-authorization")),
        ]
    }

    /// The details of a refund, as JSON.
    pub(crate) fn details(&self) -> String {
        let body = self.text("body");
        json!({
            "cents": 100,
            // What only the service knows to be secret.
            "card": { "number": body },
            "Api_Key": { "of": ["some", { "depth": body }] },
            "note": format!("token={body}"),
            "nested": json!({ "password": body }).to_string(),
        })
        .to_string()
    }
}

/// Planted where it is recorded: the `User-Agent` of every call.
pub(crate) const MARKER: &str = "marker-may-be-recorded/1";

/// The trace that every call belongs to.
pub(crate) const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Whom the token names, which is recorded too.
pub(crate) const CALLER: &str = "system:serviceaccount:payments:settler";
