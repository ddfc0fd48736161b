//! Making an object once: locked, with its checksum, and never over another.

use std::sync::Arc;
use std::time::Instant;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;

use audit_core::evidence::Hash;

use super::fault::{Fault, within};
use super::retention::Retention;
use super::store::Store;
use super::versions::KeyVersions;

/// How objects are made in this bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Making {
    pub(crate) retention: Retention,
    /// Whether the store ignores the condition, so that its versions have to be looked at.
    pub(crate) detects: bool,
}

/// What is under a key once an object was to be made there.
#[derive(Debug)]
pub(crate) enum Made {
    /// Our bytes, and nothing else.
    Ours,
    /// These bytes, which were there first.
    Others(Vec<u8>),
    /// More than one version, with different bytes or too many to compare: two writers.
    Forked,
}

impl Store {
    /// Makes an object of `bytes`, unless there is one: then says what is there.
    pub(crate) async fn make(
        self: &Arc<Self>,
        key: &str,
        bytes: &[u8],
        making: Making,
        deadline: Instant,
    ) -> Result<Made, Fault> {
        if making.detects {
            // A second writer that is not at the same instant leaves nothing behind.
            let found = self.versions_of(key, deadline).await?;
            if found.oldest.is_some() {
                return self.compare(&found, bytes, deadline).await;
            }
        }
        match self.put(key, bytes, making.retention, deadline).await {
            Ok(_) if !making.detects => Ok(Made::Ours),
            Ok(version) => {
                let found = self.versions_of(key, deadline).await.map_err(unanswered)?;
                let alone = !found.is_doubled() && version.is_some();
                if alone && found.oldest.as_ref().map(|oldest| &oldest.id) == version.as_ref() {
                    return Ok(Made::Ours);
                }
                self.compare(&found, bytes, deadline).await.map_err(unanswered)
            }
            Err(fault) if fault.is_unmet() => {
                let found = self.versions_of(key, deadline).await.map_err(unanswered)?;
                self.compare(&found, bytes, deadline).await.map_err(unanswered)
            }
            Err(fault) => Err(fault),
        }
    }

    /// One PUT on the condition that nothing is there; gives the name of the new version.
    pub(crate) async fn put(
        &self,
        key: &str,
        bytes: &[u8],
        retention: Retention,
        deadline: Instant,
    ) -> Result<Option<String>, Fault> {
        let until = retention.until();
        let mut request = self
            .client
            .put_object()
            .bucket(&self.layout.bucket)
            .key(key)
            .if_none_match("*")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_sha256(Hash::digest(bytes).to_base64())
            .object_lock_mode(retention.mode.of_object())
            .object_lock_retain_until_date(until)
            .body(ByteStream::from(bytes.to_vec()));
        for (name, value) in retention.promise(&until) {
            request = request.metadata(name, value);
        }
        Ok(within(deadline, request.send()).await?.version_id)
    }

    /// Compares what is under a key with `bytes`.
    pub(crate) async fn compare(&self, found: &KeyVersions, bytes: &[u8], deadline: Instant) -> Result<Made, Fault> {
        let Some(oldest) = &found.oldest else {
            // A listing that lags behind: trying again tells.
            return Err(Fault::Broken(format!("{} is there, and is not listed", found.key).into()));
        };
        if found.more > 0 {
            // More than anybody makes by trying again; they are not all looked at.
            return Ok(Made::Forked);
        }
        if found.sizes_differ() {
            return Ok(Made::Forked);
        }
        let first = self.get(&found.key, oldest, deadline).await?.bytes;
        for other in &found.others {
            match self.get(&found.key, other, deadline).await {
                Ok(other) if other.bytes == first => {}
                Ok(_) => return Ok(Made::Forked),
                // What no log leaves is somebody else's, whatever its bytes are.
                Err(fault) if fault.is_of_object() => return Ok(Made::Forked),
                Err(fault) => return Err(fault),
            }
        }
        Ok(if first == bytes { Made::Ours } else { Made::Others(first) })
    }
}

/// Where something is under the key, whatever goes wrong leaves open whether it is ours alone.
fn unanswered(fault: Fault) -> Fault {
    match fault {
        Fault::Late => Fault::Late,
        other => Fault::Broken(other.to_string().into()),
    }
}
