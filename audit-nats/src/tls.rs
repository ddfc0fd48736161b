use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::small_file;
use crate::target::Target;

/// How to speak TLS: with the authorities of `ca_file`, or those of this machine, and with our
/// certificate if there is one. Nothing of this process's defaults is used or changed.
///
/// # Errors
///
/// Says which file cannot be used.
pub(crate) fn configuration(target: &Target) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &target.ca_file {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| format!("ca_file {}: {error}", path.display()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots);
    match (&target.credentials.cert_file, &target.credentials.key_file) {
        (Some(certificate), Some(key_file)) => {
            let pem = small_file::read(key_file, small_file::LIMIT).map_err(|error| format!("key_file {error}"))?;
            let key = PrivateKeyDer::from_pem_slice(&pem)
                .map_err(|error| format!("key_file {}: {error}", key_file.display()))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, key)
                .map_err(|error| format!("cert_file {}: {error}", certificate.display()))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error| format!("certificates in {}: {error}", path.display());
    let pem = small_file::read(path, small_file::LIMIT)?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if found.is_empty() { Err(format!("{} holds no certificate", path.display())) } else { Ok(found) }
}
