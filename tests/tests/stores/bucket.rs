//! A bucket with Object Lock, made by its owner.

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Region, RequestChecksumCalculation};
use tempfile::TempDir;

use crate::evidence::{Options, options};

/// The name of the bucket.
const NAME: &str = "audit";

/// A bucket on some server, and how a log gets there.
pub(crate) struct Bucket {
    endpoint: String,
    folder: TempDir,
}

impl Bucket {
    /// Makes the bucket, versioned and with Object Lock.
    pub(crate) fn make(endpoint: &str, access_key: &str, secret_key: &str) -> Self {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
            .build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let request = Client::from_conf(config).create_bucket().bucket(NAME).object_lock_enabled_for_bucket(true);
        runtime.block_on(request.send()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let credentials =
            format!("[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n");
        std::fs::write(folder.path().join("credentials"), credentials).unwrap();
        Self { endpoint: endpoint.to_owned(), folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("s3://{NAME}/payments/prod-1")
    }

    /// The owner of a bucket may delete: these tests are not about rights.
    pub(crate) fn options(&self) -> Options {
        let credentials = self.folder.path().join("credentials").display().to_string();
        options(&[
            ("endpoint", &self.endpoint),
            ("credentials_file", &credentials),
            ("retention_days", "1"),
            ("allow_delete_right", "true"),
        ])
    }

    /// The same for a server that ignores conditional writes.
    pub(crate) fn detecting_options(&self) -> Options {
        let mut options = self.options();
        options.push(("fencing".into(), "detect".into()));
        options
    }
}
