//! The rules for every store, once for each kind of server.

mod support;

use audit_core::backend::Backend as _;
use audit_core::backend::{Durability, Fencing};
use audit_core::conformance;
use real_servers::NatsSetup;
use support::{Logs, Place, Result, fresh, soon};

fn keeps_all_rules(servers: &real_servers::Nats, replicas: u8, sync_always: bool) -> Result {
    let place = Place::create(&servers.addresses(), replicas)?;
    conformance::run_all(|| Box::new(Logs { place: place.clone(), log: fresh("log"), sync_always }))?;
    Ok(())
}

#[test]
fn a_single_server_that_syncs_later_keeps_all_rules() -> Result {
    keeps_all_rules(&NatsSetup::debian()?.start()?, 1, false)
}

#[test]
fn a_single_server_that_syncs_always_keeps_all_rules() -> Result {
    keeps_all_rules(&NatsSetup::newest()?.sync_always().start()?, 1, true)
}

#[test]
fn a_cluster_of_three_keeps_all_rules() -> Result {
    keeps_all_rules(&NatsSetup::debian()?.cluster().start()?, 3, false)
}

#[test]
fn a_cluster_of_three_that_syncs_always_keeps_all_rules() -> Result {
    keeps_all_rules(&NatsSetup::newest()?.cluster().sync_always().start()?, 3, true)
}

#[test]
fn what_is_promised_is_what_the_stream_gives() -> Result {
    let servers = NatsSetup::newest()?.cluster().start()?;
    for (replicas, sync_always, durability, machines) in
        [(1, false, Durability::Written, 1), (1, true, Durability::Synced, 1), (3, false, Durability::Replicated, 2)]
    {
        let place = Place::create(&servers.addresses(), replicas)?;
        let mut backend = place.log("log")?.sync_always(sync_always);
        backend.open(soon())?;
        let found = backend.capabilities();
        assert_eq!((found.append, found.sync, found.machines), (durability, durability, machines));
        assert_eq!((found.fencing, found.remote), (Fencing::Enforced, true));
    }
    Ok(())
}
