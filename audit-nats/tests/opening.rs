//! What is refused when a log opens, and in which words.

mod support;

use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, BackendError, Head};
use audit_core::conformance::Sample;
use audit_nats::Nats;
use real_servers::{NatsCertificates, NatsSetup, Proxy, free_port};
use support::{Place, Result, debian, options, soon};

/// The words in which opening the log is refused for good.
fn refusal(mut backend: Nats) -> String {
    match backend.open(soon()) {
        Err(BackendError::Misconfigured { detail }) => detail,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Makes a stream with the settings that are needed, but for `changed`.
fn with_setting(servers: &real_servers::Nats, setting: &str, value: &str) -> Result<Place> {
    let place = Place::of(&servers.addresses());
    let mut settings: serde_json::Value = serde_json::from_str(&place.new_stream()?.to_json())?;
    settings[setting] = serde_json::from_str(value)?;
    support::admin::make_stream(servers, &place.stream, &settings.to_string())?;
    Ok(place)
}

fn refuses_setting(servers: &real_servers::Nats, setting: &str, value: &str) -> Result {
    let place = with_setting(servers, setting, value)?;
    let said = refusal(place.log("log")?);
    assert!(said.contains(&format!("`{setting}`")) && said.contains(&place.stream), "{setting}: {said}");
    Ok(())
}

#[test]
fn a_stream_with_an_unsafe_setting_is_refused_by_the_name_of_the_setting() -> Result {
    let servers = debian()?;
    for (setting, value) in [
        ("deny_delete", "false"),
        ("deny_purge", "false"),
        ("max_age", "3600000000000"),
        ("max_msgs_per_subject", "10"),
        ("max_msg_size", "60000"),
        ("retention", "\"interest\""),
        ("retention", "\"workqueue\""),
        ("storage", "\"memory\""),
        ("no_ack", "true"),
        ("subjects", "[\"elsewhere.>\"]"),
    ] {
        refuses_setting(&servers, setting, value)?;
    }
    Ok(())
}

#[test]
fn a_stream_that_pushes_out_old_messages_is_refused_by_the_name_of_the_limit() -> Result {
    let servers = debian()?;
    for limit in ["max_msgs", "max_bytes"] {
        let place = Place::of(&servers.addresses());
        let settings = place.new_stream()?.to_json();
        let settings = settings.replace("\"discard\": \"new\"", "\"discard\": \"old\"");
        let settings = settings.replace(&format!("\"{limit}\": -1"), &format!("\"{limit}\": 1000000"));
        support::admin::make_stream(&servers, &place.stream, &settings)?;
        let said = refusal(place.log("log")?);
        assert!(said.contains(&format!("`{limit}`")) && said.contains("`discard`"), "{said}");
    }
    Ok(())
}

#[test]
fn settings_of_newer_servers_that_let_messages_go_are_refused_too() -> Result {
    let servers = NatsSetup::newest()?.start()?;
    for (setting, value) in [("allow_msg_ttl", "true"), ("persist_mode", "\"async\"")] {
        refuses_setting(&servers, setting, value)?;
    }
    Ok(())
}

#[test]
fn too_few_replicas_are_refused() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let said = refusal(place.log("log")?.required_replicas(3));
    assert!(said.contains("`num_replicas`") && said.contains("`required_replicas`"), "{said}");
    Ok(())
}

#[test]
fn a_server_that_cannot_sync_always_is_not_believed_to() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let said = refusal(place.log("log")?.sync_always(true));
    assert!(said.contains("`sync_always`") && said.contains("2.9.10"), "{said}");
    Ok(())
}

#[test]
fn a_stream_that_is_not_there_is_refused() -> Result {
    let servers = debian()?;
    let place = Place::of(&servers.addresses());
    let said = refusal(place.log("log")?);
    assert!(said.contains("no such stream"), "{said}");
    Ok(())
}

#[test]
fn credentials_that_may_delete_the_stream_are_refused_unless_that_is_accepted() -> Result {
    let servers = debian()?;
    let mut place = Place::create(&servers.addresses(), 1)?;
    place.options.retain(|(name, _)| name != "allow_admin_rights");
    let said = refusal(place.log("log")?);
    assert!(said.contains("$JS.API.STREAM.DELETE") && said.contains("allow_admin_rights"), "{said}");
    place.log("log")?.allow_admin_rights(true).open(soon())?;
    Ok(())
}

#[test]
fn rights_that_nobody_answers_for_are_not_taken_for_granted() -> Result {
    let servers = debian()?;
    let direct = Place::create(&servers.addresses(), 1)?;
    let port = support::mute::lose(servers.port(), "STREAM.DELETE")?;
    let mut place = Place { servers: format!("nats://127.0.0.1:{port}"), ..direct };
    place.options.retain(|(name, _)| name != "allow_admin_rights");
    place.options.extend(options(&[("ack_timeout", "200ms")]));
    let refused = place.log("log")?.open(Instant::now() + Duration::from_secs(2));
    let asked = matches!(&refused, Err(error @ BackendError::Unavailable { .. }) if error.to_string().contains("STREAM.DELETE"));
    assert!(asked, "{refused:?}");
    Ok(())
}

#[test]
fn a_pipe_is_no_file_of_secrets_and_is_not_waited_for() -> Result {
    let folder = tempfile::tempdir()?;
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status()?.success());
    let pipe = pipe.display().to_string();
    let ways: [&[(&str, &str)]; 5] = [
        &[("user", "u"), ("password_file", &pipe)],
        &[("nkey_file", &pipe)],
        &[("creds_file", &pipe)],
        &[("ca_file", &pipe)],
        &[("cert_file", &pipe), ("key_file", &pipe)],
    ];
    for given in ways {
        let mut place = Place::of(&format!("127.0.0.1:{}", free_port()?));
        place.options.extend(options(given));
        let backend = place.log("log")?;
        let (told, refused) = std::sync::mpsc::channel();
        std::thread::spawn(move || told.send(refusal(backend)));
        let said = refused.recv_timeout(Duration::from_secs(10))?;
        assert!(said.contains("not a regular file"), "{said}");
    }
    Ok(())
}

#[test]
fn a_log_has_one_place_however_it_is_reached_and_no_other_log_has_it() -> Result {
    let servers = debian()?;
    let place = Place::create(&servers.addresses(), 1)?;
    let at = |place: &Place, log: &str| -> Result<Option<String>> {
        let mut backend = place.log(log)?;
        assert_eq!(backend.place(), None, "nobody was asked yet");
        backend.open(soon())?;
        Ok(backend.place())
    };
    let here = at(&place, "payments/log")?;
    assert!(here.as_ref().is_some_and(|here| here.contains("payments.log")), "{here:?}");
    let proxy = Proxy::start(servers.port())?;
    let alias = Place { servers: format!("nats://localhost:{}", proxy.port()), ..place.clone() };
    assert_eq!(at(&alias, "payments/log")?, here);
    assert_ne!(at(&place, "payments/other")?, here);
    // Made anew under the same name, it is another stream.
    support::admin::Admin::connect(&servers.addresses())?
        .must(&format!("$JS.API.STREAM.DELETE.{}", place.stream), "")?;
    place.new_stream()?.create(support::PATIENCE)?;
    assert_ne!(at(&place, "payments/log")?, here);
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_told_at_once_and_may_be_tried_again() -> Result {
    let place = Place::of(&format!("127.0.0.1:{}", free_port()?));
    let started = Instant::now();
    let refused = place.log("log")?.open(soon());
    assert!(matches!(refused, Err(BackendError::Unavailable { .. })), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    Ok(())
}

#[test]
fn a_server_that_never_answers_is_given_up_at_the_deadline() -> Result {
    let servers = debian()?;
    let proxy = Proxy::start(servers.port())?;
    proxy.set(real_servers::Mode::Hang);
    let place = Place::of(&format!("127.0.0.1:{}", proxy.port()));
    let started = Instant::now();
    let refused = place.log("log")?.open(Instant::now() + Duration::from_secs(1));
    assert!(matches!(refused, Err(BackendError::Unavailable { .. })), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    Ok(())
}

#[test]
fn wrong_credentials_are_called_that() -> Result {
    let servers = NatsSetup::debian()?
        .configuration("accounts { A { jetstream: enabled, users: [ { user: writer, password: right } ] } }")
        .start()?;
    let file = servers.folder().join("password");
    std::fs::write(&file, "wrong\n")?;
    let mut place = Place::of(&servers.addresses());
    place.options.extend(options(&[("user", "writer"), ("password_file", &file.display().to_string())]));
    let said = refusal(place.log("log")?);
    assert!(said.contains("does not accept the credentials"), "{said}");
    std::fs::write(&file, "x".repeat(65_537))?;
    let said = refusal(place.log("log")?);
    assert!(said.contains("65536 bytes"), "{said}");
    std::fs::remove_file(&file)?;
    let said = refusal(place.log("log")?);
    assert!(said.contains("password") && said.contains("cannot be read"), "{said}");
    Ok(())
}

#[test]
fn a_user_without_rights_is_told_which_subject_is_refused() -> Result {
    let servers = NatsSetup::debian()?
        .configuration(
            "accounts { A { jetstream: enabled, users: [ { user: u, password: p, permissions: { publish: nothing } } ] } }",
        )
        .start()?;
    let file = servers.folder().join("password");
    std::fs::write(&file, "p")?;
    let mut place = Place::of(&servers.addresses());
    place.options.extend(options(&[("user", "u"), ("password_file", &file.display().to_string())]));
    let started = Instant::now();
    let said = refusal(place.log("log")?);
    assert!(said.contains("STREAM.INFO") && said.contains("Permissions Violation"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(2), "it is not waited for: {:?}", started.elapsed());
    Ok(())
}

#[test]
fn certificates_decide_over_who_talks_to_whom() -> Result {
    let folder = tempfile::tempdir()?;
    let certificates = NatsCertificates::create(folder.path())?;
    let client = certificates.issue("writer")?;
    let good = NatsSetup::debian()?.tls(&certificates, certificates.issue("server")?, true).start()?;
    let expired = NatsSetup::debian()?.tls(&certificates, certificates.issue_expired("expired")?, false).start()?;
    let authority = certificates.authority_file().display().to_string();

    let mut place = Place::of(&good.addresses());
    place.options.extend(options(&[
        ("tls", "required"),
        ("ca_file", &authority),
        ("cert_file", &client.certificate.display().to_string()),
        ("key_file", &client.key.display().to_string()),
    ]));
    place.new_stream()?.create(support::PATIENCE)?;
    let mut backend = place.created("log")?;
    let sample = Sample::after(Head::EMPTY).lines(3, "over TLS");
    backend.append(Head::EMPTY, &sample.batch(), soon())?;

    // Without our certificate, without the authority of the server's, with one that has expired.
    let mut stranger = place.clone();
    stranger.options.retain(|(name, _)| name != "cert_file" && name != "key_file");
    assert!(stranger.log("log")?.open(soon()).is_err());
    let mut unknown = place.clone();
    unknown.options.retain(|(name, _)| name != "ca_file");
    let said = refusal(unknown.log("log")?);
    assert!(said.contains("UnknownIssuer") || said.contains("issuer"), "{said}");
    let mut late = Place::of(&expired.addresses());
    late.options.extend(options(&[("tls", "required"), ("ca_file", &authority)]));
    let said = refusal(late.log("log")?);
    assert!(said.contains("certificate") && said.to_lowercase().contains("expired"), "{said}");
    Ok(())
}

#[test]
fn an_nkey_is_enough_to_be_known_and_another_one_is_not() -> Result {
    /// The example of NATS' own documentation.
    const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    let users = |key: &str| format!("accounts {{ A {{ jetstream: enabled, users: [ {{ nkey: {key} }} ] }} }}");
    let servers = NatsSetup::debian()?.configuration(&users(PUBLIC)).start()?;
    let file = servers.folder().join("writer.nk");
    std::fs::write(&file, format!("{SEED}\n"))?;
    let mut place = Place::of(&servers.addresses());
    place.options.extend(options(&[("nkey_file", &file.display().to_string())]));
    place.new_stream()?.create(support::PATIENCE)?;
    place.created("log")?;

    let other = "UDKTV7HZVYJFJN64LLMYQBUR6MTNNYCDC3LAZH4VHURW3GZLL3FULBXV";
    let elsewhere = NatsSetup::debian()?.configuration(&users(other)).start()?;
    let stranger = Place { servers: format!("nats://{}", elsewhere.addresses()), ..place };
    let said = refusal(stranger.log("log")?);
    assert!(said.contains("does not accept the credentials"), "{said}");
    Ok(())
}
