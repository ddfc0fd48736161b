//! Answers that wait for their outcome.

use crate::{Call, Framework, Server};

crate::on_every_server! {
    an_answer_that_awaits_its_outcome_ends_after_the_outcome_is_on_disk
}

const POLICY: &str = "[[rule]]\nname = \"accounted\"\nawait_outcome = true\ndeadline = \"20s\"\n";

async fn an_answer_that_awaits_its_outcome_ends_after_the_outcome_is_on_disk(framework: Framework) {
    let server = Server::with_policy(framework, POLICY, &[]);
    let mut client = server.client().await;
    let calls = [Call::Refund(1), Call::Stream { chunks: 2 }, Call::Denied, Call::Unknown, Call::Count];
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(client.call(call).await, client.expected(call), "{call:?}");
        // Nobody waits here: it is there already.
        let outcomes = server.records_of("outcome");
        assert_eq!(outcomes.len(), number + 1, "{call:?}");
    }
    server.stop().await;
}
