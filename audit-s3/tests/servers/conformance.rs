//! The rules that every store keeps, once per kind of server.

use audit_core::backend::Backend;
use audit_core::conformance::{self, Store};
use real_servers::Moto;

use crate::fixture::{Scene, ceph, moto, moto_with_short_pages};

impl Store for Scene {
    fn writer(&mut self) -> Box<dyn Backend> {
        Box::new(Scene::writer(self))
    }
}

fn on(server: &Moto) {
    conformance::run_all(|| Box::new(Scene::on_this_moto(server))).expect("every rule is kept");
}

#[test]
fn a_store_that_enforces_conditions_passes_the_suite() {
    on(moto());
}

#[test]
fn listings_of_many_pages_pass_the_suite() {
    on(moto_with_short_pages());
}

#[test]
fn a_store_that_ignores_conditions_passes_the_suite_when_forks_are_detected() {
    conformance::run_all(|| Box::new(Scene::on_this_ceph(ceph()))).expect("every rule is kept");
}
