//! Bearer tokens whose signatures are checked, with keys and tokens made here.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

mod cache;
mod hostile;
mod issuers;
mod keys;
mod refusals;
#[path = "../identity_support/request.rs"]
mod request;
mod settings;
mod signer;
mod standards;
