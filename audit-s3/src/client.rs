//! The SDK's client as this store wants it: no retries, no hidden time-outs, no hidden checksums.

use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedCredentialsProvider,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::settings::Settings;
use super::small_file;

/// The longest file of certificates that is read.
const FILE_LIMIT: u64 = 8 << 20;

/// Makes a client. Reads the certificates that are trusted; sends nothing.
///
/// Whatever is wrong with the settings is said in one sentence.
pub(crate) fn connect(settings: &Settings) -> Result<Client, String> {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(settings.credentials()))
        .force_path_style(settings.uses_path_style())
        .http_client(transport(settings)?)
        // The log tries again by itself, and must know what became of each attempt.
        .retry_config(RetryConfig::disabled())
        // Every request has a deadline of its own.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // Checksums are given explicitly; older stores refuse those that the SDK would add.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .disable_s3_express_session_auth(true);
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(endpoint);
    }
    Ok(Client::from_conf(config.build()))
}

fn transport(settings: &Settings) -> Result<SharedHttpClient, String> {
    if !settings.uses_tls() {
        return Ok(Builder::new().build_http());
    }
    let trusted = match &settings.ca_file {
        Some(path) => TrustStore::empty().with_pem_certificate(certificates(path)?),
        None => {
            // Without any, the client would refuse every server, and not say why.
            if rustls_native_certs::load_native_certs().certs.is_empty() {
                return Err("no certificate authorities are installed on this machine: install ca-certificates, or name a file with ca_file".into());
            }
            TrustStore::default()
        }
    };
    let tls = TlsContext::builder().with_trust_store(trusted).build().map_err(|error| error.to_string())?;
    Ok(Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls).build_https())
}

/// The certificates in a file, each of them looked at: the client would panic over a bad one.
fn certificates(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |what: String| {
        format!("ca_file {}: {what}; it has to hold the authority's certificates in PEM form", path.display())
    };
    let bytes = small_file::read(path, FILE_LIMIT).map_err(wrong)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("there is no certificate in it".into())) } else { Ok(bytes) }
}
