//! Rules that change while the service runs.

use crate::server::until;
use crate::{Call, Framework, Server};

crate::on_every_server! {
    other_rules_apply_from_their_change_on_and_broken_ones_never
}

/// Records everything, under a rule of that name.
fn policy(name: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\n")
}

async fn other_rules_apply_from_their_change_on_and_broken_ones_never(framework: Framework) {
    let server = Server::with_policy(framework, &policy("first"), &[]);
    let mut client = server.client().await;
    client.call(Call::Refund(1)).await;
    server.replace_policy("[[rule]]\nname = \"broken\"\nlevle = \"none\"\n");
    until("the mistake is on record", || !server.records_of("alert").is_empty()).await;
    client.call(Call::Refund(2)).await;
    server.replace_policy(&policy("second"));
    until("the change is on record", || !server.records_of("policy.changed").is_empty()).await;
    client.call(Call::Refund(3)).await;
    let stopped = server.stop().await;
    let rules: Vec<_> = stopped.of_kind("intent").iter().map(|intent| intent["policy"].clone()).collect();
    assert_eq!(rules, ["first", "first", "second"]);
    assert_eq!((stopped.of_kind("alert").len(), stopped.of_kind("policy.changed").len()), (1, 1));
}
