use std::path::PathBuf;

use audit_core::backend::{Backend as _, BackendError};
use audit_core::verify::LogReader as _;
use audit_postgres::{Postgres, PostgresReader};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

use crate::fixture::{Place, soon};

/// A server with a certificate for `name` until the year `until`, and the file of its authority.
fn certified(name: &str, until: i32) -> (Place, PathBuf) {
    let mut place = Place::own(&[]);
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2_020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();

    let ca_file = place.password_file().with_file_name("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let server = std::sync::Arc::get_mut(&mut place.server).unwrap();
    let certificate = server.write("server.pem", &certificate.pem()).unwrap();
    let key = server.write("server.key", &key.serialize_pem()).unwrap();
    server.set("ssl", "on");
    server.set("ssl_cert_file", &certificate.display().to_string());
    server.set("ssl_key_file", &key.display().to_string());
    server.restart().unwrap();
    // Nobody gets in without it: what connects has used it.
    place.superuser("ALTER SYSTEM SET log_connections = on");
    (place, ca_file)
}

fn writer(place: &Place, ca_file: Option<&PathBuf>) -> Postgres {
    let mut options = place.options();
    options.push(("tls".to_owned(), "require".to_owned()));
    options.extend(ca_file.map(|file| ("ca_file".to_owned(), file.display().to_string())));
    Postgres::from_url(&place.url("writer", "log"), &options).unwrap()
}

#[track_caller]
fn is_refused(mut writer: Postgres, words: &str) {
    let error = writer.open(soon()).unwrap_err();
    assert!(matches!(error, BackendError::Unavailable { .. } | BackendError::Misconfigured { .. }), "{error:?}");
    assert!(error.to_string().contains(words), "{words:?} is not in: {error}");
}

#[test]
fn a_certificate_of_the_named_authority_is_accepted_and_the_connection_encrypted() {
    let (place, ca_file) = certified("127.0.0.1", 2_100);
    let mut open = writer(&place, Some(&ca_file));
    open.open(soon()).unwrap();
    let encrypted =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'SCHEMA_the_writer'";
    assert_eq!(place.superuser(encrypted), "t");
    open.create(audit_core::conformance::VERIFIER_KEY, soon()).unwrap();
    let mut options = place.options();
    options.extend(
        [("tls", "require"), ("ca_file", ca_file.to_str().unwrap())].map(|(a, b)| (a.to_owned(), b.to_owned())),
    );
    assert_eq!(PostgresReader::from_url(&place.url("reader", "log"), &options).unwrap().size().unwrap(), 0);
    // The system's own authorities do not know this one.
    is_refused(writer(&place, None), "certificate");
}

#[test]
fn an_expired_certificate_is_refused() {
    let (place, ca_file) = certified("127.0.0.1", 2_021);
    is_refused(writer(&place, Some(&ca_file)), "expired");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (place, ca_file) = certified("db.example", 2_100);
    is_refused(writer(&place, Some(&ca_file)), "certificate");
}

#[test]
fn a_server_without_tls_is_refused_where_it_is_required() {
    let place = Place::shared();
    let ca_file = certified_authority_alone(&place);
    is_refused(writer(&place, Some(&ca_file)), "TLS");
    is_refused(writer(&place, Some(&place.password_file())), "no certificate");
}

fn certified_authority_alone(place: &Place) -> PathBuf {
    let params = CertificateParams::new(Vec::<String>::new()).unwrap();
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let file = place.password_file().with_file_name("alone.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    file
}
