//! All logs under one prefix.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use audit_core::verify::ReadError;

use super::fault::{Fault, within};
use super::location::encoded;
use super::reading::{Reading, not_a_log};
use super::settings::Settings;
use super::store::Store;
use super::versions::Listing;

/// How many folders deep logs are looked for.
const DEPTH: usize = 8;

/// The most folders that are looked into.
const FOLDERS: usize = 100_000;

/// The URLs of all logs under `url`, in order; of a URL that is itself one log, just that. The settings
/// in its query stand in each of them. Hidden logs are among them: versions are listed.
///
/// Blocks; a few requests for each log.
///
/// # Errors
///
/// [`ReadError::NotALog`] when the URL or a setting is wrong, or when there are more than 100,000
/// folders; [`ReadError::Unavailable`] when the store does not answer, or refuses.
pub fn logs(url: &str, options: &[(String, String)]) -> Result<Vec<String>, ReadError> {
    let (location, settings) = Settings::from_url(url, options).map_err(|error| not_a_log(error.to_string()))?;
    let reading = Reading::of(&location, &settings)?;
    let query = url.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
    let mut found = BTreeSet::new();
    let mut waiting = vec![(location.path.clone(), 0)];
    let mut looked = 0;
    while let Some((path, depth)) = waiting.pop() {
        looked += 1;
        if looked > FOLDERS {
            return Err(not_a_log(format!(
                "there are more than {FOLDERS} folders under {}: name a part of them",
                location.url()
            )));
        }
        let store = &reading.store;
        let folder = reading.call("looking for logs under", |deadline| Folder::look(store, &path, deadline))?;
        if folder.is_log && !path.is_empty() {
            found.insert(path);
        } else if depth < DEPTH {
            waiting.extend(folder.inside.into_iter().map(|path| (path, depth + 1)));
        }
    }
    Ok(found.into_iter().map(|path| format!("s3://{}/{}{query}", location.bucket, encoded(&path))).collect())
}

/// A folder, and what is in it.
struct Folder {
    is_log: bool,
    inside: Vec<String>,
}

impl Folder {
    async fn look(store: &Arc<Store>, path: &str, deadline: Instant) -> Result<Self, Fault> {
        let root = if path.is_empty() { String::new() } else { format!("{path}/") };
        let key = format!("{root}log.pub");
        let mut is_log =
            Listing::new(store, key.clone(), None).next(deadline).await?.is_some_and(|found| found.key == key);
        let mut inside = Vec::new();
        let mut marker: Option<(String, Option<String>)> = None;
        loop {
            let (behind, version) = marker.clone().map_or((None, None), |(key, version)| (Some(key), version));
            let request = store.client.list_object_versions().bucket(&store.layout.bucket).prefix(&root).delimiter("/");
            let request = request.set_key_marker(behind).set_version_id_marker(version);
            let answer = within(deadline, request.send()).await?;
            for prefix in answer.common_prefixes().iter().filter_map(|prefix| prefix.prefix()) {
                is_log |= ["lines/", "checkpoints/"].iter().any(|part| prefix.strip_prefix(&root) == Some(part));
                inside.push(prefix.trim_end_matches('/').to_owned());
            }
            let next = answer.next_key_marker().map(str::to_owned);
            let next = next.map(|key| (key, answer.next_version_id_marker().map(str::to_owned)));
            if is_log || answer.is_truncated() != Some(true) {
                return Ok(Self { is_log, inside });
            }
            if next.is_none() || next == marker {
                return Err(Fault::Strange("the store says that its listing goes on, and not where".into()));
            }
            marker = next;
        }
    }
}
