//! Which subject holds what.

use crate::log_name::LogName;

/// The last tokens of the subjects of a log.
const KINDS: [&str; 3] = ["lines", "checkpoints", "key"];

/// The three subjects of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subjects {
    /// One message for each batch: the exact bytes of its lines.
    pub(crate) lines: String,
    /// One message for each signed checkpoint.
    pub(crate) checkpoints: String,
    /// One message: the text of the verifier key.
    pub(crate) key: String,
}

impl Subjects {
    pub(crate) fn of(prefix: &str, log: &LogName) -> Self {
        let base = below(prefix, log);
        let [lines, checkpoints, key] = KINDS.map(|kind| format!("{base}.{kind}"));
        Self { lines, checkpoints, key }
    }

    pub(crate) fn all(&self) -> [&str; 3] {
        [&self.lines, &self.checkpoints, &self.key]
    }
}

/// What the subjects of a log, or of the logs of a fleet, start with; without a dot at the end.
pub(crate) fn below(prefix: &str, log: &LogName) -> String {
    if log.is_empty() { prefix.to_owned() } else { format!("{prefix}.{}", log.tokens()) }
}

/// The log that `subject` belongs to, if it is one of a log's three.
pub(crate) fn log_of(prefix: &str, subject: &str) -> Option<LogName> {
    let (name, kind) = subject.strip_prefix(prefix)?.strip_prefix('.')?.rsplit_once('.')?;
    if !KINDS.contains(&kind) {
        return None;
    }
    LogName::from_segments(&name.split('.').collect::<Vec<_>>()).ok()
}

/// Whether `filter`, one of a stream's subjects, takes in `subject`.
pub(crate) fn covers(filter: &str, subject: &str) -> bool {
    let mut wanted = filter.split('.');
    let mut tokens = subject.split('.');
    loop {
        match (wanted.next(), tokens.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some(want), Some(token)) if want == "*" || want == token => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_covered_as_the_server_matches_them() {
        for (filter, subject, expected) in [
            ("audit.>", "audit.payments.lines", true),
            ("audit.>", "audit", false),
            ("audit.*.lines", "audit.payments.lines", true),
            ("audit.*.lines", "audit.a.b.lines", false),
            ("audit.payments.lines", "audit.payments.lines", true),
            ("audit.payments", "audit.payments.lines", false),
            (">", "audit.payments.lines", true),
        ] {
            assert_eq!(covers(filter, subject), expected, "{filter} and {subject}");
        }
    }

    #[test]
    fn a_log_is_known_by_any_of_its_subjects_and_by_no_other() {
        let name = |subject| log_of("audit", subject).map(|log| log.to_string());
        assert_eq!(name("audit.payments.prod-1.key").as_deref(), Some("payments/prod-1"));
        assert_eq!(name("audit.payments.other"), None);
        assert_eq!(name("elsewhere.payments.lines"), None);
        assert_eq!(name("audit.lines"), None);
    }
}
