//! NATS with JetStream: one server that syncs before it answers, and three of Debian's that speak TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use audit_nats::{NewStream, Role, grants};
use real_servers::{Failure, Nats, NatsCertificates, NatsSetup};

use crate::purpose::Purpose;
use crate::store::{Front, Store, configuration, secret};

/// The servers, and their usual ports in front of them.
#[derive(Debug)]
pub(crate) struct KeptNats {
    pub(crate) one: Store,
    pub(crate) three: Store,
    _fronts: Vec<Front>,
    _servers: [Nats; 2],
    /// For measuring: takes anybody, and syncs as NATS does by itself.
    open: Option<Nats>,
}

/// Starts them with a stream each, and writes `nats.toml`: the one is primary, the three its replica.
pub(crate) fn start(folder: &Path, purpose: Purpose) -> Result<KeptNats, Failure> {
    let certificates = folder.join("nats-certificates");
    fs::create_dir_all(&certificates)?;
    fs::set_permissions(&certificates, fs::Permissions::from_mode(0o700))?;
    let certificates = NatsCertificates::create(&certificates)?;
    let accounts = accounts()?;
    let one = NatsSetup::newest()?.sync_always().configuration(&accounts).start()?;
    let three = NatsSetup::debian()?.cluster().configuration(&accounts);
    let three = three.tls(&certificates, certificates.issue("server")?, false).start()?;

    let password = secret(folder, "nats.password", PASSWORD)?.display().to_string();
    let fronts = [(ONE_PORT, &one), (THREE_PORT, &three)].map(|(usual, servers)| fronts(usual, servers, purpose));
    let [one_fronts, three_fronts] = fronts;
    let (one_fronts, three_fronts) = (one_fronts?, three_fronts?);
    let mut one_store = Store {
        server: "NATS, one server; users `writer`, `reader` and `administrator` have one password",
        url: format!("nats://writer@{}/{STREAM}/payments", addresses(&one_fronts)),
        settings: vec![("password_file", password.clone())],
    };
    let mut three_store = Store {
        server: "NATS, three servers with TLS; the same users",
        url: format!("nats://writer@{}/{STREAM}/payments", addresses(&three_fronts)),
        settings: vec![("password_file", password)],
    };
    three_store.settings.push(("tls", "required".into()));
    three_store.settings.push(("ca_file", certificates.authority_file().display().to_string()));
    make_stream(&one_store, 1)?;
    make_stream(&three_store, 3)?;
    one_store.settings.push(("sync_always", "true".into()));
    three_store.settings.push(("required_replicas", "3".into()));
    configuration(folder, "nats.toml", &[&one_store, &three_store])?;
    let open = if purpose == Purpose::Measuring { Some(NatsSetup::newest()?.start()?) } else { None };
    let fronts = one_fronts.into_iter().chain(three_fronts).collect();
    Ok(KeptNats { one: one_store, three: three_store, _fronts: fronts, _servers: [one, three], open })
}

impl KeptNats {
    /// A stream that anybody may make, on a server for measuring.
    pub(crate) fn open(&self) -> Option<String> {
        let open = self.open.as_ref()?;
        Some(format!("nats://{}/MEASURED?allow_admin_rights=true", open.addresses()))
    }
}

/// Users with what `audit grants nats` prints for every log of the stream.
fn accounts() -> Result<String, Failure> {
    let mut text = String::new();
    let mut users = String::new();
    for role in [Role::Writer, Role::Reader, Role::Administrator] {
        text.push_str(&grants(role, &format!("nats://127.0.0.1/{STREAM}"), &[])?);
        let name = role.as_str();
        users.push_str(&format!("    {{ user: {name}, password: \"{PASSWORD}\", permissions: $audit_{name} }}\n"));
    }
    text.push_str(&format!("accounts {{\n  AUDIT {{ jetstream: enabled, users: [\n{users}  ] }}\n}}\n"));
    Ok(text)
}

/// Where each server is found, from the port `usual` on upwards.
fn fronts(usual: u16, servers: &Nats, purpose: Purpose) -> Result<Vec<Front>, Failure> {
    let addresses = servers.addresses();
    let ports = addresses.split(',').filter_map(|address| address.rsplit(':').next()?.parse().ok());
    (usual..).zip(ports).map(|(usual, port)| purpose.front(usual, port)).collect()
}

fn addresses(fronts: &[Front]) -> String {
    fronts.iter().map(|front| format!("127.0.0.1:{}", front.port)).collect::<Vec<_>>().join(",")
}

fn make_stream(store: &Store, replicas: u8) -> Result<(), Failure> {
    let url = store.whole_url().replacen("writer@", "administrator@", 1).replacen("/payments", "", 1);
    Ok(NewStream::from_url(&url, &[])?.replicas(replicas).create(PATIENCE)?)
}

const STREAM: &str = "AUDIT";
const PASSWORD: &str = "correct-horse-battery-staple";
const ONE_PORT: u16 = 14_222;
const THREE_PORT: u16 = 14_231;

/// How long the servers may take to agree on a stream.
const PATIENCE: Duration = Duration::from_secs(60);
