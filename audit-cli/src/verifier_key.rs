//! The verifier key on the command line.

use std::fs;

use audit_core::VerifierKey;

use crate::ending::Failure;

/// The key in `text`, which is a vkey or the name of a file that holds one.
pub(crate) fn read(text: &str) -> Result<VerifierKey, Failure> {
    let refused = |why: String| Failure::new(format!("--key: {why}"));
    if text.starts_with("PRIVATE+KEY+") {
        return Err(refused("this is a private key; the verifier key is the text that `audit keygen` prints".into()));
    }
    let wrong = match VerifierKey::parse(text) {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    let content = match fs::read(text) {
        Ok(content) => content,
        Err(_) if text.matches('+').count() >= 2 => return Err(refused(wrong.to_string())),
        Err(error) => return Err(refused(format!("{text} is no verifier key, and as a file: {error}"))),
    };
    let content = String::from_utf8_lossy(&content);
    if content.trim_start().starts_with("PRIVATE+KEY+") {
        return Err(refused(format!("{text} holds a private key; the verifier key is in `log.pub`")));
    }
    VerifierKey::parse(&content).map_err(|error| refused(format!("{text}: {error}")))
}
