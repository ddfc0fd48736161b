//! Whether a stream still is what it was when the log was opened.

use std::time::Instant;

use audit_core::backend::{BackendError, Concern};
use serde_json::Value;

use crate::api::Deleted;
use crate::facts::Facts;
use crate::link::Link;
use crate::requirements;
use crate::stream_info::StreamInfo;

/// What a server keeps for itself among the settings.
const NOT_A_SETTING: [&str; 1] = ["metadata"];

/// Reads the stream's settings and compares them with those that are needed, and with those it had.
pub(crate) async fn concerns(
    link: &Link,
    facts: &Facts,
    opened: &StreamInfo,
    deadline: Instant,
) -> Result<Vec<Concern>, BackendError> {
    let now = link
        .stream_info(Deleted::Counted, None, deadline)
        .await
        .map_err(|trouble| trouble.reading("inspecting the stream"))?;
    let Some(now) = now else {
        return Ok(vec![Concern::new(
            "stream",
            format!("{} has been deleted, and every log in it", link.target.place()),
        )]);
    };
    // What is claimed from here on is what the stream can give from here on.
    facts.set_replicas(&now);
    let mut found = requirements::unmet(&now, &link.target);
    for name in opened.config.keys().chain(now.config.keys().filter(|name| !opened.config.contains_key(*name))) {
        let known = NOT_A_SETTING.contains(&name.as_str()) || found.iter().any(|it| it.setting == *name);
        let (before, after) = (opened.config.get(name), now.config.get(name));
        if before != after && !known {
            found.push(Concern::new(
                name.clone(),
                format!("it was {} when the log was opened, and is {} now", word(before), word(after)),
            ));
        }
    }
    gone(opened, &now, &mut found);
    Ok(found)
}

/// What the stream does not hold any more. A concern is told once while it lasts, so that the number stands
/// in its name where more may go.
fn gone(opened: &StreamInfo, now: &StreamInfo, found: &mut Vec<Concern>) {
    if now.created != opened.created {
        found.push(Concern::new(
            "created",
            format!("the stream was deleted and made anew: it is of {}, not of {}", now.created, opened.created),
        ));
    }
    let front = now.missing_at_front();
    if front > 0 {
        found.push(Concern::new(
            format!("first_seq {}", now.state.first_seq),
            format!("the first {front} messages of the stream are gone: it starts at {}", now.state.first_seq),
        ));
    }
    if now.state.last_seq < opened.state.last_seq {
        found.push(Concern::new(
            "last_seq",
            format!("the stream ends at {}, it had {}", now.state.last_seq, opened.state.last_seq),
        ));
    }
    if now.missing_inside() > 0 {
        found.push(Concern::new(
            format!("num_deleted {}", now.missing_inside()),
            format!("{} messages inside of the stream are gone", now.missing_inside()),
        ));
    }
    if now.lost() > 0 {
        found.push(Concern::new(
            format!("lost {}", now.lost()),
            format!("the server could not read back {} of its messages", now.lost()),
        ));
    }
}

fn word(value: Option<&Value>) -> String {
    value.map_or_else(|| "not set".into(), |value| format!("`{value}`"))
}
