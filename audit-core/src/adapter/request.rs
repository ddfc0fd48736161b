use std::borrow::Cow;

use crate::identity::Metadata;
use crate::record::Actor;

/// The head of a request, before its handler runs. Adapters implement it over what they borrow.
///
/// Its methods are called once or twice for each request: they must not block or panic, and should
/// not allocate.
pub trait Request: Metadata {
    /// The method, in the case it was sent in.
    fn method(&self) -> &str;

    /// The path as it was sent: not decoded, and before any router has cut a prefix from it.
    /// Empty for `CONNECT`.
    fn path(&self) -> &str;

    /// The query without its `?`.
    fn query(&self) -> Option<&str>;

    /// The authority of the request target, where it has one.
    fn authority(&self) -> Option<&str>;

    /// The protocol version as it is recorded: `1.0`, `1.1`, `2`, `3`.
    fn version(&self) -> Option<&'static str>;

    /// The template of the route that matched, as in `/v1/refunds/{id}`.
    fn route(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// The caller in the words of the host's own authentication, where
    /// [`established`](Metadata::established) does not tell. As verified as it says.
    fn actor(&self) -> Option<Actor> {
        None
    }

    /// The first `Host` header.
    fn host(&self) -> Option<&[u8]> {
        self.header("host")
    }

    /// The first `User-Agent` header.
    fn user_agent(&self) -> Option<&[u8]> {
        self.header("user-agent")
    }

    /// The first `Content-Length` header.
    fn content_length(&self) -> Option<&[u8]> {
        self.header("content-length")
    }

    /// The `traceparent` header, where there is exactly one: several mean none (W3C Trace Context
    /// §3.2).
    fn traceparent(&self) -> Option<&[u8]> {
        let value = self.header("traceparent")?;
        let mut lines = 0_usize;
        self.each_header("traceparent", &mut |_| lines += 1);
        (lines == 1).then_some(value)
    }

    /// Whether there is an `Authorization` header.
    fn has_authorization(&self) -> bool {
        self.header("authorization").is_some()
    }
}
