use std::time::Duration;

use audit_postgres::{Role, grants};
use real_servers::{Mode, Postgres, Proxy};
use tempfile::TempDir;

use crate::evidence::{Options, assert_in_time, assert_whole, options, section};
use crate::load::Load;
use crate::service::Service;

/// A server with the schema and the roles that `grants` prints.
pub(crate) struct Database {
    pub(crate) server: Postgres,
    folder: TempDir,
}

impl Database {
    pub(crate) fn start() -> Self {
        let server = Postgres::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), Postgres::PASSWORD).unwrap();
        for (role, login) in [(Role::Administrator, "admin"), (Role::Writer, "writer"), (Role::Reader, "reader")] {
            let printed = grants(role, &format!("postgres://{login}@127.0.0.1/postgres"), &[]).unwrap();
            server.psql(&printed).unwrap();
            server.login(login).unwrap();
        }
        Self { server, folder }
    }

    pub(crate) fn url(&self, login: &str) -> String {
        Self::url_at(self.server.port(), login)
    }

    pub(crate) fn url_at(port: u16, login: &str) -> String {
        format!("postgres://{login}@127.0.0.1:{port}/postgres/prod-1")
    }

    pub(crate) fn options(&self) -> Options {
        options(&[("password_file", &self.folder.path().join("password").display().to_string())])
    }
}

const RULE: &str = "deadline = \"1s\"";
const DEADLINE: Duration = Duration::from_secs(1);

#[test]
fn a_database_that_is_killed_and_started_again_under_load_has_everything_that_was_acknowledged() {
    let mut database = Database::start();
    let mut service = Service::start(&section("[primary]", &database.url("writer"), &database.options()), RULE);
    let load = Load::on(service.address());
    load.until_succeeded(200);
    database.server.kill();
    std::thread::sleep(DEADLINE * 2);
    database.server.restart().unwrap();
    load.until_succeeded(200);
    let answers = load.stop();
    service.stop();
    assert_in_time(&answers, DEADLINE);
    assert!(answers.refused > 0, "nobody was refused while the database was away");
    assert_whole(&database.url("reader"), &database.options(), &service, &answers);
}

#[test]
fn a_database_that_hangs_is_answered_for_by_the_deadline() {
    let database = Database::start();
    let proxy = Proxy::start(database.server.port()).unwrap();
    let url = Database::url_at(proxy.port(), "writer");
    let mut service = Service::start(&section("[primary]", &url, &database.options()), RULE);
    let load = Load::on(service.address());
    load.until_succeeded(50);
    proxy.set(Mode::Hang);
    std::thread::sleep(DEADLINE * 3);
    proxy.set(Mode::Pass);
    load.until_succeeded(50);
    let answers = load.stop();
    service.stop();
    assert_in_time(&answers, DEADLINE);
    assert!(answers.refused > 0);
    assert_whole(&database.url("reader"), &database.options(), &service, &answers);
}
