//! A bucket as its owner sees it, who may do what the log's writer may not.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockRetention, ObjectLockRetentionMode, ObjectLockRule, VersioningConfiguration,
};
use real_servers::CephUser;
use tokio::runtime::Runtime;

/// What became of a request: the code of a refusal.
pub(crate) type Answer<T = ()> = Result<T, String>;

pub(crate) struct Bucket {
    runtime: Runtime,
    client: Client,
    name: String,
}

/// Turns an SDK answer into its value or the code of the refusal.
macro_rules! ask {
    ($bucket:expr, $request:expr) => {{
        let answer = $bucket.runtime.block_on($request.send());
        answer.map_err(|error| error.code().unwrap_or("no code").to_owned())
    }};
}

impl Bucket {
    pub(crate) fn new(endpoint: &str, user: &CephUser, name: &str) -> Self {
        let credentials = Credentials::new(&user.access_key, &user.secret_key, None, None, "test");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .credentials_provider(credentials)
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { runtime, client: Client::from_conf(config), name: name.to_owned() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn make(&self) {
        ask!(self, self.client.create_bucket().bucket(&self.name)).expect("the bucket is made");
    }

    pub(crate) fn make_locked(&self) {
        ask!(self, self.client.create_bucket().bucket(&self.name).object_lock_enabled_for_bucket(true))
            .expect("the bucket is made");
    }

    pub(crate) fn set_versioning(&self, enabled: bool) -> Answer {
        let status = if enabled { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
        let configuration = VersioningConfiguration::builder().status(status).build();
        ask!(self, self.client.put_bucket_versioning().bucket(&self.name).versioning_configuration(configuration))
            .map(drop)
    }

    pub(crate) fn set_default_retention(&self, mode: &str, days: i32) -> Answer {
        let retention = DefaultRetention::builder().mode(ObjectLockRetentionMode::from(mode)).days(days).build();
        let rule = ObjectLockRule::builder().default_retention(retention).build();
        let lock =
            ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).rule(rule).build();
        ask!(self, self.client.put_object_lock_configuration().bucket(&self.name).object_lock_configuration(lock))
            .map(drop)
    }

    pub(crate) fn set_policy(&self, policy: &str) -> Answer {
        ask!(self, self.client.put_bucket_policy().bucket(&self.name).policy(policy)).map(drop)
    }

    /// Writes without a condition and without a lock of its own.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) -> Answer {
        let body = ByteStream::from(bytes.to_vec());
        let request = self.client.put_object().bucket(&self.name).key(key).body(body);
        ask!(self, request.checksum_algorithm(ChecksumAlgorithm::Sha256)).map(drop)
    }

    pub(crate) fn get(&self, key: &str) -> Answer<Vec<u8>> {
        let answer = ask!(self, self.client.get_object().bucket(&self.name).key(key))?;
        let body = self.runtime.block_on(answer.body.collect()).map_err(|error| error.to_string())?;
        Ok(body.to_vec())
    }

    /// The versions of a key, newest first.
    pub(crate) fn versions(&self, key: &str) -> Vec<String> {
        let answer = ask!(self, self.client.list_object_versions().bucket(&self.name).prefix(key).max_keys(1_000));
        let answer = answer.expect("the versions are listed");
        let here = answer.versions().iter().filter(|version| version.key() == Some(key));
        here.filter_map(|version| version.version_id().map(str::to_owned)).collect()
    }

    /// The delete markers on a key, newest first.
    pub(crate) fn markers(&self, key: &str) -> Vec<String> {
        let answer = ask!(self, self.client.list_object_versions().bucket(&self.name).prefix(key).max_keys(1_000));
        let answer = answer.expect("the versions are listed");
        let here = answer.delete_markers().iter().filter(|marker| marker.key() == Some(key));
        here.filter_map(|marker| marker.version_id().map(str::to_owned)).collect()
    }

    /// Every key under a prefix that has a version.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let answer = ask!(self, self.client.list_object_versions().bucket(&self.name).prefix(prefix).max_keys(1_000));
        let answer = answer.expect("the versions are listed");
        let mut keys: Vec<String> =
            answer.versions().iter().filter_map(|version| version.key().map(str::to_owned)).collect();
        keys.dedup();
        keys
    }

    /// The lock of the newest version: its mode, and the days that are left.
    pub(crate) fn lock(&self, key: &str) -> Option<(String, u64)> {
        let answer = ask!(self, self.client.head_object().bucket(&self.name).key(key)).expect("the object is there");
        let mode = answer.object_lock_mode()?.as_str().to_owned();
        let until = SystemTime::try_from(*answer.object_lock_retain_until_date()?).expect("a date");
        let left = until.duration_since(SystemTime::now()).unwrap_or_default();
        Some((mode, left.as_secs().div_ceil(86_400)))
    }

    pub(crate) fn put_delete_marker(&self, key: &str) -> Answer {
        ask!(self, self.client.delete_object().bucket(&self.name).key(key)).map(drop)
    }

    pub(crate) fn delete_version(&self, key: &str, version: &str) -> Answer {
        let request = self.client.delete_object().bucket(&self.name).key(key).version_id(version);
        ask!(self, request.bypass_governance_retention(true)).map(drop)
    }

    pub(crate) fn shorten_retention(&self, key: &str, mode: &str) -> Answer {
        let until = DateTime::from(SystemTime::now() + Duration::from_secs(60));
        let retention =
            ObjectLockRetention::builder().mode(ObjectLockRetentionMode::from(mode)).retain_until_date(until).build();
        let request = self.client.put_object_retention().bucket(&self.name).key(key).retention(retention);
        ask!(self, request.bypass_governance_retention(true).checksum_algorithm(ChecksumAlgorithm::Sha256)).map(drop)
    }
}
