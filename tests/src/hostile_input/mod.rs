//! What everything that reads a stranger's bytes must hold to, whatever the bytes are.
//!
//! Each target takes arbitrary bytes and panics when something does not hold. The fuzzer makes the
//! bytes up (`cargo xtask fuzz`); the tests replay those that it kept in `fuzz/corpus`.

mod forwarded_client_cert;
mod jwt_claims;
mod policy;
mod record;
mod recorded;
mod redaction;
mod request;
mod traceparent;

/// One reader of hostile input.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also that of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Reads the bytes, and panics when something does not hold.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 6] = [
    Target { name: "forwarded_client_cert", check: forwarded_client_cert::check },
    Target { name: "jwt_claims", check: jwt_claims::check },
    Target { name: "policy", check: policy::check },
    Target { name: "record", check: record::check },
    Target { name: "redaction", check: redaction::check },
    Target { name: "traceparent", check: traceparent::check },
];

/// The target of this name, if there is one.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
