use std::sync::Arc;

use audit_core::backend::Backend;
use audit_core::conformance::{self, Store};
use real_servers::PgBouncer;

use crate::fixture::Place;

/// A log of its own in one schema.
struct OneLog {
    place: Arc<Place>,
    log: String,
}

impl Store for OneLog {
    fn writer(&mut self) -> Box<dyn Backend> {
        Box::new(self.place.writer(&self.log))
    }
}

fn run(place: Place) {
    let place = Arc::new(place);
    let mut count = 0;
    conformance::run_all(|| {
        count += 1;
        Box::new(OneLog { place: Arc::clone(&place), log: format!("conformance/{count}") })
    })
    .unwrap();
}

#[test]
fn the_store_keeps_every_rule_of_the_contract() {
    run(Place::shared());
}

#[test]
fn the_store_keeps_every_rule_of_the_contract_behind_a_pooler_in_transaction_mode() {
    let mut place = Place::shared();
    let (writer, reader) = (place.role("writer"), place.role("reader"));
    let pooler = PgBouncer::start(&place.server, &[&writer, &reader]).unwrap();
    place.port = pooler.port();
    run(place);
}
