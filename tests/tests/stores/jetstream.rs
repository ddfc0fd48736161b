use std::time::Duration;

use audit_nats::NewStream;
use real_servers::{Nats, NatsSetup};

use crate::evidence::{Options, assert_in_time, assert_whole, options, section};
use crate::load::Load;
use crate::service::Service;

const DEADLINE: Duration = Duration::from_secs(1);

/// How long making a stream may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Servers with a stream that can keep a log.
pub(crate) struct Stream {
    pub(crate) servers: Nats,
}

impl Stream {
    /// One server that forces every message to disk before it acknowledges it.
    pub(crate) fn that_syncs() -> Self {
        Self::on(NatsSetup::newest().unwrap().sync_always().start().unwrap(), 1)
    }

    /// Three servers that each keep every message.
    pub(crate) fn of_three() -> Self {
        Self::on(NatsSetup::newest().unwrap().cluster().start().unwrap(), 3)
    }

    fn on(servers: Nats, replicas: u8) -> Self {
        let stream = Self { servers };
        let url = format!("nats://{}/AUDIT", stream.servers.addresses());
        NewStream::from_url(&url, &stream.options()).unwrap().replicas(replicas).create(PATIENCE).unwrap();
        stream
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}/AUDIT/prod-1", self.servers.addresses())
    }

    /// These servers know no users, so that everybody has every right.
    pub(crate) fn options(&self) -> Options {
        options(&[("allow_admin_rights", "true")])
    }

    pub(crate) fn syncing_options(&self) -> Options {
        let mut options = self.options();
        options.push(("sync_always".into(), "true".into()));
        options
    }
}

#[test]
fn a_server_that_is_killed_and_started_again_under_load_has_everything_that_was_acknowledged() {
    let mut stream = Stream::that_syncs();
    let config = section("[primary]", &stream.url(), &stream.syncing_options());
    let mut service = Service::start(&config, "deadline = \"1s\"");
    let load = Load::on(service.address());
    load.until_succeeded(200);
    stream.servers.kill(0);
    std::thread::sleep(DEADLINE * 2);
    stream.servers.restart(0).unwrap();
    load.until_succeeded(200);
    let answers = load.stop();
    service.stop();
    assert_in_time(&answers, DEADLINE);
    assert!(answers.refused > 0, "nobody was refused while the server was away");
    assert_whole(&stream.url(), &stream.options(), &service, &answers);
}

#[test]
fn a_leader_of_three_that_is_killed_under_load_costs_time_and_no_record() {
    let mut stream = Stream::of_three();
    let config = section("[primary]", &stream.url(), &stream.options());
    let mut service = Service::start(&config, "durability = \"replicated\"\ndeadline = \"1s\"");
    let load = Load::on(service.address());
    load.until_succeeded(200);
    let killed = stream.servers.kill_leader("AUDIT").unwrap();
    load.until_succeeded(200);
    stream.servers.restart(killed).unwrap();
    load.until_succeeded(50);
    let answers = load.stop();
    service.stop();
    assert_in_time(&answers, DEADLINE);
    assert_whole(&stream.url(), &stream.options(), &service, &answers);
}
