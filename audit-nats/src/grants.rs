use std::fmt::Write as _;

use crate::UrlError;
use crate::link::inbox;
use crate::subjects::{Subjects, below};
use crate::target::Target;

/// Who is to be given rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The service that writes its log.
    Writer,
    /// Whoever verifies and reads.
    Reader,
    /// Whoever makes the stream.
    Administrator,
}

impl Role {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Writer => "writer",
            Self::Reader => "reader",
            Self::Administrator => "administrator",
        }
    }
}

/// The least rights that `role` needs for the log at `url`, or for all logs of a fleet if the URL names
/// no single log: text for the server's configuration, to be included as it is.
///
/// It defines a variable that users refer to: `permissions: $audit_writer`. Neither the writer nor
/// the reader may change, empty or delete the stream, nor leave consumers in the server: neither needs
/// any.
///
/// # Errors
///
/// Says what is wrong with the URL or which option.
pub fn grants(role: Role, url: &str, options: &[(String, String)]) -> Result<String, UrlError> {
    let target = Target::parse(url, options)?;
    let (api, stream) = (&target.api, &target.stream);
    let read = [format!("{api}.STREAM.INFO.{stream}"), format!("{api}.STREAM.MSG.GET.{stream}")];
    let all_logs = format!("{}.>", below(&target.subject_prefix, &target.log));
    let written = if target.log.is_empty() {
        vec![all_logs]
    } else {
        Subjects::of(&target.subject_prefix, &target.log).all().map(str::to_owned).to_vec()
    };
    let (publish, deny, inbox) = match role {
        Role::Writer => (written.into_iter().chain(read).collect(), Vec::new(), inboxes(&target, "writer")),
        Role::Reader => (read.to_vec(), Vec::new(), inboxes(&target, "reader")),
        Role::Administrator => {
            (vec![format!("{api}.>")], vec![format!("{}.>", target.subject_prefix)], "_INBOX.>".to_owned())
        }
    };
    Ok(text(role, &target, &publish, &deny, &inbox))
}

/// Where the answers for everybody in this role go.
fn inboxes(target: &Target, role: &str) -> String {
    match &target.inbox_prefix {
        Some(prefix) => format!("{prefix}.>"),
        None if target.log.is_empty() => format!("_INBOX.{}-{role}.>", target.subject_prefix),
        None => format!("{}.>", inbox(target, role)),
    }
}

fn text(role: Role, target: &Target, publish: &[String], deny: &[String], inbox: &str) -> String {
    let name = role.as_str();
    let log = if target.log.is_empty() { "every log".to_owned() } else { format!("log {}", target.log) };
    let mut out = format!(
        "# {name} of {log} in stream {}\n\
         # use: accounts {{ AUDIT {{ jetstream: enabled, users: [ {{ user: \"{name}\", password: \"...\", \
         permissions: $audit_{name} }} ] }} }}\n\
         audit_{name} {{\n  publish {{\n    allow: [\n",
        target.stream
    );
    for subject in publish {
        // A string takes whatever is written to it.
        let _ = writeln!(out, "      \"{subject}\"");
    }
    out.push_str("    ]\n");
    if !deny.is_empty() {
        let denied: Vec<String> = deny.iter().map(|subject| format!("\"{subject}\"")).collect();
        let _ = writeln!(out, "    deny: [ {} ]", denied.join(", "));
    }
    let _ = write!(out, "  }}\n  subscribe {{\n    allow: [ \"{inbox}\" ]\n  }}\n}}\n");
    out
}
