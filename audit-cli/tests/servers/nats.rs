//! NATS JetStream, with the permissions that `audit grants nats` prints.

use std::sync::OnceLock;
use std::time::Duration;

use audit_nats::NewStream;
use real_servers::{Nats, NatsSetup, free_port};

use crate::place::{Place, fleet_key, fresh, granted, judged, write_log};
use crate::story;

const PASSWORD: &str = "correct-horse-battery-staple";

/// How many streams tests may take.
const STREAMS: usize = 8;

/// One server that syncs before it answers, whose users have what `audit grants nats` prints for each of
/// its streams.
fn server() -> &'static Nats {
    static SERVER: OnceLock<Nats> = OnceLock::new();
    SERVER.get_or_init(|| {
        let mut text = String::new();
        let mut accounts = String::new();
        for stream in (0..STREAMS).map(|at| format!("AUDIT{at}")) {
            let mut users = String::new();
            for role in ["writer", "reader", "administrator"] {
                let url = format!("nats://127.0.0.1/{stream}");
                // One server has them for all streams, so each gets a name of its own.
                let name = format!("{role}_{stream}");
                let printed = granted("nats", role, &url).replace(&format!("audit_{role}"), &format!("audit_{name}"));
                text.push_str(&printed);
                users.push_str(&format!("{{ user: {name}, password: \"{PASSWORD}\", permissions: $audit_{name} }}\n"));
            }
            accounts.push_str(&format!("{stream} {{\n  jetstream: enabled\n  users: [\n{users}]\n}}\n"));
        }
        let configuration = format!("{text}\naccounts {{\n{accounts}}}\n");
        let setup = NatsSetup::newest().expect("nats-server").sync_always().configuration(&configuration);
        setup.start().expect("NATS starts")
    })
}

/// A stream of its own for one test.
struct Scene {
    place: Place,
    stream: String,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let stream = fresh("AUDIT");
        let folder = tempfile::tempdir().expect("a directory");
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD).expect("written");
        let query = format!("?password_file={}", password.display());
        let url = |role: &str| format!("nats://{role}_{stream}@{}/{stream}", server().addresses());
        let created = NewStream::from_url(&format!("{}{query}", url("administrator")), &[]).expect("a URL");
        created.create(Duration::from_secs(30)).expect("a stream");
        let place = Place {
            writer: format!("{}/fleet", url("writer")),
            reader: format!("{}/fleet", url("reader")),
            query: format!("{query}&sync_always=true"),
        };
        Self { place, stream, folder }
    }

    /// Asks the server as the stream's administrator.
    fn ask(&self, verb: &str, question: &str) -> serde_json::Value {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let user = format!("administrator_{}", self.stream);
            let options = async_nats::ConnectOptions::with_user_and_password(user, PASSWORD.to_owned());
            let client = options.connect(server().addresses()).await.expect("connected");
            let subject = format!("$JS.API.STREAM.{verb}.{}", self.stream);
            let answer = client.request(subject, question.to_owned().into()).await.expect("an answer");
            let answer: serde_json::Value = serde_json::from_slice(&answer.payload).expect("json");
            assert!(answer["error"].is_null(), "{answer}");
            answer
        })
    }

    /// Lets the stream keep no more than so many messages.
    fn keep_only(&self, messages: u64) {
        let mut config = self.ask("INFO", "")["config"].take();
        config["max_msgs"] = messages.into();
        config["discard"] = "old".into();
        config["discard_new_per_subject"] = false.into();
        self.ask("UPDATE", &config.to_string());
    }
}

#[test]
fn a_log_in_jetstream_is_verified_read_and_proved_by_url() {
    story::one_log(&Scene::new().place);
}

#[test]
fn logs_in_one_stream_are_a_fleet() {
    story::a_fleet(&Scene::new().place);
}

#[test]
fn a_replica_in_jetstream_is_compared_with_its_primary() {
    story::a_replica(&Scene::new().place);
}

#[test]
fn a_log_in_jetstream_is_followed() {
    story::a_log_that_is_followed(&Scene::new().place);
}

#[test]
fn messages_that_an_administrator_let_go_are_tampering() {
    let scene = Scene::new();
    write_log(&fleet_key().0, scene.place.backend("cut"));
    scene.keep_only(3);
    story::tampered(&scene.place, "cut", &["missing", "hidden", "truncated"]);
}

#[test]
fn a_stream_that_was_deleted_is_missed() {
    let scene = Scene::new();
    write_log(&fleet_key().0, scene.place.backend("gone"));
    let state = scene.folder.path().join("state").display().to_string();
    let verify = || judged(&["verify", &scene.place.fleet(), "--fleet-state", &state, "--json"]);
    assert_eq!(verify().0, 0);
    scene.ask("DELETE", "");
    let (exit, verdict) = verify();
    assert_eq!((exit, &verdict["findings"][0]["kind"]), (1, &serde_json::Value::from("vanished")), "{verdict}");
    // Without anything from before nobody can tell that it ever was there.
    assert_eq!(judged(&["verify", &scene.place.fleet(), "--json"]).0, 2);
}

#[test]
fn a_nats_that_does_not_answer_leaves_the_question_open() {
    let url = |port: u16| format!("nats://127.0.0.1:{port}/AUDIT/log?read_timeout=3s");
    story::unreachable(&url(free_port().expect("a port")));
    story::hung(url);
}
