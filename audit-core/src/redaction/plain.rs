use super::redacted::{Redacted, Writer};

/// Keeps `text` as it is, cut between two characters.
pub(super) fn redact(text: &str, whole: bool, mut writer: Writer<'_>) -> Redacted {
    writer.keep_to(text.len());
    writer.finish(whole)
}
