//! What the stream itself shows of tampering.

use std::time::Instant;

use audit_core::verify::{Class, Finding, FindingKind};

use crate::api::{Deleted, Which};
use crate::link::Link;
use crate::requirements;
use crate::stream_info::StreamInfo;
use crate::subjects::{Subjects, below, log_of};
use crate::trouble::Trouble;

/// How many numbers of messages are named in one finding.
const NAMED: usize = 16;

/// Looks at the stream: what is gone, what should not be there, which settings let more go.
pub(crate) async fn inspect(link: &Link, subjects: &Subjects, deadline: Instant) -> Result<Vec<Finding>, Trouble> {
    let target = &link.target;
    let base = below(&target.subject_prefix, &target.log);
    let info = link.stream_info(Deleted::Named, Some(&format!("{base}.>")), deadline).await?;
    let Some(info) = info else {
        return Ok(vec![Finding::new(FindingKind::Hidden, format!("{} is gone", target.place()))]);
    };
    let mut found = Vec::new();
    gone(&target.stream, &info, &mut found);
    for (subject, count) in &info.state.subjects {
        let known = subjects.all().contains(&subject.as_str()) || log_of(&target.subject_prefix, subject).is_some();
        if !known {
            let detail = format!("{count} messages on {subject}, where nothing belongs");
            found.push(Finding::new(FindingKind::Hidden, detail).class(Class::Warning));
        }
    }
    keys(link, subjects, &info, deadline, &mut found).await?;
    for concern in requirements::unmet(&info, target) {
        let detail = format!("the stream's setting `{}`: {}", concern.setting, concern.detail);
        found.push(Finding::new(FindingKind::Hidden, detail).class(Class::Warning));
    }
    Ok(found)
}

fn gone(stream: &str, info: &StreamInfo, found: &mut Vec<Finding>) {
    let front = info.missing_at_front();
    if front > 0 {
        let detail = format!(
            "the first {front} messages of stream {stream} are gone: it starts at number {} (`first_seq`)",
            info.state.first_seq
        );
        found.push(Finding::new(FindingKind::Hidden, detail));
    }
    if info.missing_inside() > 0 {
        let deleted = info.state.deleted.as_deref().unwrap_or_default();
        let detail =
            format!("{} messages inside of stream {stream} were deleted: {}", info.missing_inside(), numbers(deleted));
        found.push(Finding::new(FindingKind::Hidden, detail));
    }
    let lost = info.state.lost.as_ref().and_then(|lost| lost.msgs.as_deref()).unwrap_or_default();
    if !lost.is_empty() {
        let detail = format!("the server lost messages of stream {stream}: {}", numbers(lost));
        found.push(Finding::new(FindingKind::Hidden, detail));
    }
}

fn numbers(all: &[u64]) -> String {
    let named: Vec<String> = all.iter().take(NAMED).map(u64::to_string).collect();
    let more = all.len().saturating_sub(NAMED);
    if more > 0 { format!("{} and {more} more", named.join(", ")) } else { named.join(", ") }
}

/// A log has one key, and it is its first message; another is somebody else's.
async fn keys(
    link: &Link,
    subjects: &Subjects,
    info: &StreamInfo,
    deadline: Instant,
    found: &mut Vec<Finding>,
) -> Result<(), Trouble> {
    let count = info.state.subjects.get(&subjects.key).copied().unwrap_or(0);
    if count < 2 {
        return Ok(());
    }
    let first = link.message(Which::From(1, &subjects.key), deadline).await?;
    let last = link.message(Which::Last(&subjects.key), deadline).await?;
    let same = first.map(|message| message.bytes) == last.map(|message| message.bytes);
    let detail = format!("{count} messages on {}, where one belongs; the first one counts", subjects.key);
    let finding = Finding::new(FindingKind::WrongKey, detail);
    found.push(if same { finding.class(Class::Warning) } else { finding });
    Ok(())
}
