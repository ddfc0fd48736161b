//! What all halves of an open store share: client, keys of the log, settings.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use audit_core::evidence::CompactRange;

use super::fault::{Fault, within};
use super::layout::Layout;
use super::location::Location;
use super::retention::LockSeen;
use super::settings::{BATCH_LIMIT, Settings};
use super::versions::{KeyVersions, Version};

/// The largest object that is read: more than one batch ever has.
const OBJECT_LIMIT: u64 = (BATCH_LIMIT + (128 << 10)) as u64;

/// One log in one bucket.
pub(crate) struct Store {
    pub(crate) client: Client,
    pub(crate) layout: Layout,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &self.layout.url).finish_non_exhaustive()
    }
}

/// An object that has been read.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) lock: LockSeen,
}

impl Store {
    /// Makes the client; sends nothing.
    pub(crate) fn new(location: &Location, settings: &Settings) -> Result<Self, String> {
        let client = super::client::connect(settings)?;
        Ok(Self { client, layout: Layout::new(location) })
    }

    /// Reads one version of an object.
    pub(crate) async fn get(&self, key: &str, version: &Version, deadline: Instant) -> Result<Object, Fault> {
        if version.size > OBJECT_LIMIT {
            let size = version.size;
            return Err(Fault::Strange(format!("{key} has {size} bytes: no log leaves an object like that")));
        }
        let request = self.client.get_object().bucket(&self.layout.bucket).key(key).version_id(&version.id);
        let answer = within(deadline, request.send()).await?;
        let lock =
            LockSeen::of_answer(answer.object_lock_mode(), answer.object_lock_retain_until_date(), answer.metadata());
        let bytes = body(answer.body, deadline).await?;
        Ok(Object { bytes, lock })
    }
}

impl Store {
    /// The compact range that is kept for a checkpoint of `size`, right or wrong; `None` if there is
    /// none to read.
    pub(crate) async fn peaks(self: &Arc<Self>, size: u64, deadline: Instant) -> Result<Option<CompactRange>, Fault> {
        if size == 0 {
            return Ok(Some(CompactRange::new()));
        }
        let bytes = self.oldest(&self.layout.peaks(size), deadline).await?;
        Ok(bytes.and_then(|bytes| CompactRange::from_bytes(size, &bytes).ok()))
    }

    /// The bytes of a checkpoint; none of an object that nobody could have left as a checkpoint, because it
    /// cannot be read: it must not keep a verifier from the rest.
    pub(crate) async fn checkpoint(
        self: &Arc<Self>,
        found: &KeyVersions,
        deadline: Instant,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let Some(oldest) = &found.oldest else { return Ok(None) };
        match self.get(&found.key, oldest, deadline).await {
            Ok(object) => Ok(Some(object.bytes)),
            // With credentials that may read nothing, it says nothing about the object.
            Err(fault) if fault.is_forbidden() => match self.oldest(&self.layout.verifier_key(), deadline).await {
                Ok(Some(_)) => Ok(Some(Vec::new())),
                _ => Err(fault),
            },
            Err(fault) if fault.is_of_object() => Ok(Some(Vec::new())),
            Err(fault) => Err(fault),
        }
    }

    /// The bytes of the oldest version under a key.
    pub(crate) async fn oldest(self: &Arc<Self>, key: &str, deadline: Instant) -> Result<Option<Vec<u8>>, Fault> {
        let found = self.versions_of(key, deadline).await?;
        match &found.oldest {
            Some(oldest) => Ok(Some(self.get(key, oldest, deadline).await?.bytes)),
            None => Ok(None),
        }
    }
}

/// All of a body, up to the limit and the deadline.
async fn body(mut stream: ByteStream, deadline: Instant) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    loop {
        let next = tokio::time::timeout_at(deadline.into(), stream.next()).await;
        match next.map_err(|_| Fault::Late)? {
            None => return Ok(bytes),
            Some(Err(error)) => return Err(Fault::Broken(error.to_string().into())),
            Some(Ok(part)) if (bytes.len() + part.len()) as u64 > OBJECT_LIMIT => {
                return Err(Fault::Strange("an object is longer than any that a log leaves".into()));
            }
            Some(Ok(part)) => bytes.extend_from_slice(&part),
        }
    }
}
