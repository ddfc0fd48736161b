//! Certificates: trusted, expired, of a stranger.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use audit_core::backend::{Backend, BackendError};
use audit_core::verify::ReadError;
use audit_s3::S3Reader;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::fixture::{Scene, moto, soon};

/// A server with TLS in front of moto.
struct Front {
    port: u16,
    authority: PathBuf,
    _runtime: tokio::runtime::Runtime,
}

impl Front {
    fn start(scene: &Scene, until: i32) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        let path = scene.folder().join(format!("authority-{until}.pem"));
        std::fs::write(&path, authority.pem()).expect("it is written");
        let port = serve(certificate.der().clone(), key.serialize_der());
        Self { port: port.0, authority: path, _runtime: port.1 }
    }

    fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

fn serve(certificate: CertificateDer<'static>, key: Vec<u8>) -> (u16, tokio::runtime::Runtime) {
    let key = PrivateKeyDer::try_from(key).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.set_nonblocking(true).expect("it does not block");
    let port = listener.local_addr().expect("an address").port();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(client).await?;
                let mut server = tokio::net::TcpStream::connect(("127.0.0.1", moto().port())).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    (port, runtime)
}

#[test]
fn an_authority_from_a_file_is_trusted() {
    let scene = Scene::on_moto();
    let front = Front::start(&scene, 2100);
    let scene = scene.with("endpoint", &front.endpoint()).with("ca_file", &front.authority.display().to_string());
    let (_, head) = scene.with_lines(1);
    assert_eq!(scene.writer().open(soon()).expect("it opens").head, head);
}

#[test]
fn an_expired_certificate_is_named() {
    let scene = Scene::on_moto();
    let front = Front::start(&scene, 2021);
    let scene = scene.with("endpoint", &front.endpoint()).with("ca_file", &front.authority.display().to_string());
    match scene.writer().open(soon()) {
        Err(error @ BackendError::Unavailable { .. }) => {
            let text = error.to_string();
            assert!(text.contains("certificate") && text.contains("expired"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    match S3Reader::from_url(&scene.url(), &scene.options) {
        Err(error @ ReadError::Unavailable { .. }) => assert!(error.to_string().contains("expired"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_strangers_certificate_is_refused() {
    let scene = Scene::on_moto();
    let front = Front::start(&scene, 2100);
    let stranger = Front::start(&scene, 2099);
    let scene = scene.with("endpoint", &front.endpoint()).with("ca_file", &stranger.authority.display().to_string());
    match scene.writer().open(soon()) {
        Err(error @ BackendError::Unavailable { .. }) => assert!(error.to_string().contains("certificate"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_without_certificates_is_refused_by_its_name() {
    let scene = Scene::on_moto().with("endpoint", "https://127.0.0.1:1");
    let path = scene.folder().join("empty.pem");
    for text in ["", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&path, text).expect("it is written");
        let file = path.display().to_string();
        let scene = Scene::on_moto().with("endpoint", "https://127.0.0.1:1").with("ca_file", &file);
        match scene.writer().open(soon()) {
            Err(BackendError::Misconfigured { detail }) => assert!(detail.contains(&file), "{detail}"),
            other => panic!("{other:?}"),
        }
    }
}
