//! What is kept out of the log.
//!
//! Of a request's headers and query nothing is recorded unless its name is on an [`AllowList`].
//! The text of a body is recorded only where a rule asks for bodies, and then without the values
//! that [`BodyCapture`](crate::capture::BodyCapture) names or that look like credentials.

mod allow_list;
mod body_rules;
mod correlate;
mod form;
mod json;
mod json_names;
mod json_text;
mod log_secret;
mod name_pattern;
mod plain;
mod pointer;
mod redacted;
mod secret_name;
mod secret_value;

pub use allow_list::{AllowList, AllowListError};
pub(crate) use body_rules::{BodyRules, Treatment};
pub use log_secret::{LogSecret, SecretError};
pub(crate) use redacted::{TextForm, redact};
