use std::time::Duration;

use real_servers::{Ceph, CephStore, Moto};

use crate::bucket::Bucket;
use crate::evidence::{assert_in_time, assert_whole, options, section};
use crate::load::Load;
use crate::service::Service;

const DEADLINE: Duration = Duration::from_secs(1);

#[test]
fn a_bucket_as_the_only_place_survives_a_server_that_stands_still() {
    let mut server = Moto::start().unwrap();
    let bucket = Bucket::make(&server.endpoint(), "AKIDANYBODY", "secret");
    let config = section("[primary]", &bucket.url(), &bucket.options());
    let mut service = Service::start(&config, "durability = \"locked\"\ndeadline = \"1s\"");
    let load = Load::on(service.address());
    load.until_succeeded(50);
    server.process().freeze();
    std::thread::sleep(DEADLINE * 2);
    server.process().thaw();
    load.until_succeeded(50);
    let answers = load.stop();
    service.stop();
    assert_in_time(&answers, DEADLINE);
    assert!(answers.refused > 0, "nobody was refused while the server stood still");
    assert_whole(&bucket.url(), &bucket.options(), &service, &answers);
}

#[test]
fn a_locked_copy_is_there_for_every_call_that_asked_for_it_whatever_happens_to_the_server() {
    let mut server = Ceph::start(CephStore::Disk).unwrap();
    let owner = server.owner().clone();
    let bucket = Bucket::make(&server.endpoint(), &owner.access_key, &owner.secret_key);
    let config = section("[primary]", "FOLDER/log", &options(&[]))
        + &section("[[replica]]\nname = \"vault\"", &bucket.url(), &bucket.detecting_options());
    let mut service = Service::start(&config, "durability = \"locked\"\ndeadline = \"2s\"");
    let load = Load::on(service.address());
    load.until_succeeded(50);
    server.kill_everything();
    std::thread::sleep(DEADLINE);
    server.restart().unwrap();
    load.until_succeeded(50);
    let answers = load.stop();
    service.stop();
    assert_in_time(&answers, Duration::from_secs(2));
    assert!(answers.refused > 0, "nobody was refused while the server was away");
    let there = assert_whole(&bucket.url(), &bucket.detecting_options(), &service, &answers);
    let here = service.place("log").display().to_string();
    let here = assert_whole(&here, &options(&[]), &service, &answers);
    assert_eq!(here.root, there.root);
}
