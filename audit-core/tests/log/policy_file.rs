//! Rules that come from a file which changes while the log is open.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audit_core::evidence::Hash;
use audit_core::log::{Builder, ChangePolicyError, OpenError};
use audit_core::policy::PolicyError;
use audit_core::{AuditLog, Durability, Memory, Outcome, Policy};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{builder, close, event, eventually, memory, of_kind, policy, records, valved};

const LOOK: Duration = Duration::from_millis(10);

/// Time for several looks at the file.
async fn looks() {
    tokio::time::sleep(LOOK * 8).await;
}

fn rule(name: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\n")
}

struct Scene {
    directory: TempDir,
    log: AuditLog,
    memory: Memory,
}

impl Scene {
    fn new() -> Self {
        Self::with(|path| fs::write(path, rule("first")).unwrap())
    }

    /// A log whose rules come from what `make` puts at the given path.
    fn with(make: impl FnOnce(&Path)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.toml");
        make(&path);
        let memory = memory();
        let log = open(builder(&memory).policy_file(&path)).unwrap();
        Self { directory, log, memory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("policy.toml")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    /// Puts a new file in the place of the old one, as editors and deployments do.
    fn replace(&self, text: &str) {
        let new = self.directory.path().join("policy.new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path()).unwrap();
    }

    fn in_force(&self) -> String {
        self.log.policy().rules()[0].name().to_owned()
    }

    async fn comes_into_force(&self, name: &str) {
        eventually(name, || self.in_force() == name).await;
    }

    fn of_kind(&self, kind: &str) -> Vec<Value> {
        of_kind(&self.memory, kind)
    }

    async fn alerts(&self, count: usize) -> Vec<Value> {
        eventually("the alert", || self.of_kind("alert").len() >= count).await;
        looks().await;
        let alerts = self.of_kind("alert");
        assert_eq!(alerts.len(), count, "{alerts:?}");
        alerts
    }
}

fn open(builder: Builder) -> Result<AuditLog, OpenError> {
    builder.tune(|limits| limits.policy_interval = LOOK).open()
}

#[tokio::test]
async fn a_log_opens_under_the_rules_of_its_file() {
    let scene = Scene::new();
    assert_eq!(scene.in_force(), "first");
    assert_eq!(scene.of_kind("log.opened")[0]["policy_sha256"], Hash::digest(rule("first").as_bytes()).to_hex());
    looks().await;
    close(&scene.log).await;
    assert!(scene.of_kind("policy.changed").is_empty());
}

#[test]
fn a_log_does_not_open_with_a_file_that_is_no_policy_and_says_where() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    let missing = open(builder(&memory()).policy_file(&path)).unwrap_err();
    assert!(matches!(missing, OpenError::Policy(PolicyError::Read { .. })), "{missing:?}");
    fs::write(&path, "[[rule]]\nname = \"a\"\nlevle = \"none\"\n").unwrap();
    let broken = open(builder(&memory()).policy_file(&path)).unwrap_err().to_string();
    assert!(broken.starts_with(&format!("{}:3:1: ", path.display())), "{broken}");
    let folder = open(builder(&memory()).policy_file(directory.path())).unwrap_err();
    assert!(folder.to_string().contains("regular file"), "{folder}");
}

#[test]
fn a_pipe_is_refused_instead_of_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = open(builder(&memory()).policy_file(&path)).unwrap_err();
    assert!(error.to_string().contains("regular file"), "{error}");
}

#[test]
fn the_later_of_policy_and_policy_file_counts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    fs::write(&path, rule("file")).unwrap();
    let name = |log: AuditLog| log.policy().rules()[0].name().to_owned();
    assert_eq!(name(builder(&memory()).policy(policy("")).policy_file(&path).open().unwrap()), "file");
    assert_eq!(name(builder(&memory()).policy_file(&path).policy(policy("")).open().unwrap()), "test");
}

#[tokio::test]
async fn a_file_written_in_place_is_taken() {
    let scene = Scene::new();
    scene.write(&rule("second"));
    scene.comes_into_force("second").await;
    scene.log.begin(&event()).await.unwrap().finish(Outcome::http(200));
    close(&scene.log).await;
    let changes = scene.of_kind("policy.changed");
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["path"], scene.path().to_str().unwrap());
    assert_eq!(changes[0]["policy_sha256"], Hash::digest(rule("second").as_bytes()).to_hex());
    assert_eq!(scene.of_kind("intent")[0]["policy"], "second");
}

#[tokio::test]
async fn a_file_of_the_same_length_that_is_renamed_into_place_is_taken() {
    let scene = Scene::new();
    for name in ["2econd", "3third", "4forth"] {
        scene.replace(&rule(name));
        scene.comes_into_force(name).await;
    }
    close(&scene.log).await;
    assert_eq!(scene.of_kind("policy.changed").len(), 3);
}

/// What the kubelet does with a mounted `ConfigMap`: the file is a link through a link to a
/// directory, and the second link is replaced.
#[tokio::test]
async fn a_directory_swapped_behind_links_is_taken() {
    let scene = Scene::with(|path| {
        let place = path.parent().unwrap();
        for (version, name) in [("v1", "first"), ("v2", "second")] {
            fs::create_dir(place.join(version)).unwrap();
            fs::write(place.join(version).join("policy.toml"), rule(name)).unwrap();
        }
        symlink("v1", place.join("..data")).unwrap();
        symlink("..data/policy.toml", path).unwrap();
    });
    assert_eq!(scene.in_force(), "first");
    let place = scene.directory.path();
    symlink("v2", place.join("..data_tmp")).unwrap();
    fs::rename(place.join("..data_tmp"), place.join("..data")).unwrap();
    fs::remove_dir_all(place.join("v1")).unwrap();
    scene.comes_into_force("second").await;
    close(&scene.log).await;
    assert!(scene.of_kind("alert").is_empty());
}

#[tokio::test]
async fn a_broken_file_keeps_the_old_rules_and_is_recorded_once() {
    let scene = Scene::new();
    let broken = "[[rule]]\nname = \"second\"\n  level = \"nothing\"\n";
    scene.replace(broken);
    let alerts = scene.alerts(1).await;
    // The same words in another file are no news.
    scene.replace(broken);
    looks().await;
    scene.alerts(1).await;
    assert_eq!(scene.in_force(), "first");
    let alert = &alerts[0];
    assert_eq!(alert["about"], "policy");
    assert_eq!(alert["path"], scene.path().to_str().unwrap());
    assert_eq!((alert["line"].as_u64(), alert["column"].as_u64()), (Some(3), Some(11)));
    assert_eq!(alert["refused_sha256"], Hash::digest(broken.as_bytes()).to_hex());
    assert_eq!(alert["policy_sha256"], Hash::digest(rule("first").as_bytes()).to_hex());
    assert!(alert["reason"].as_str().unwrap().contains("`nothing` is no word for `level`"), "{alert}");

    // Other words are, and so are the first ones after the file was good.
    scene.replace(&broken.replace("nothing", "northing"));
    scene.alerts(2).await;
    scene.replace(&rule("second"));
    scene.comes_into_force("second").await;
    scene.replace(broken);
    scene.alerts(3).await;
    close(&scene.log).await;
}

#[tokio::test]
async fn rules_that_the_log_cannot_keep_are_recorded_and_not_taken() {
    let scene = Scene::new();
    scene.replace("[[rule]]\nname = \"far\"\ncopies = 3\n");
    let alert = scene.alerts(1).await.remove(0);
    assert!(alert["reason"].as_str().unwrap().contains("rule `far`"), "{alert}");
    assert_eq!(alert.get("line"), None);
    assert_eq!(scene.in_force(), "first");
    close(&scene.log).await;
}

#[tokio::test]
async fn a_file_that_vanishes_keeps_the_rules_and_is_recorded_once_and_taken_again() {
    let scene = Scene::new();
    fs::remove_file(scene.path()).unwrap();
    let alert = scene.alerts(1).await.remove(0);
    assert!(alert["reason"].as_str().unwrap().contains("cannot read the policy"), "{alert}");
    assert_eq!(alert.get("refused_sha256"), None);
    assert_eq!(scene.in_force(), "first");
    scene.write(&rule("second"));
    scene.comes_into_force("second").await;
    close(&scene.log).await;
    assert_eq!(scene.of_kind("alert").len(), 1);
}

#[tokio::test]
async fn a_file_too_long_or_not_text_is_refused() {
    let scene = Scene::new();
    scene.replace(&"#".repeat((1 << 20) + 1));
    let alert = scene.alerts(1).await.remove(0);
    assert!(alert["reason"].as_str().unwrap().contains("1 MiB"), "{alert}");
    fs::write(scene.path(), b"[[rule]]\nname = \"\xff\"\n").unwrap();
    scene.alerts(2).await;
    assert_eq!(scene.in_force(), "first");
    close(&scene.log).await;
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_left_alone() {
    let memory = memory();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    fs::write(&path, rule("first")).unwrap();
    let builder = builder(&memory).policy_file(&path);
    let log = builder.tune(|limits| limits.policy_interval = Duration::from_millis(150)).open().unwrap();
    // Cut anywhere, this is no policy, or another one than was meant.
    let text = "[[rule]]\nname = \"second\"\nlevel = \"none\"\npaths = [\"/healthz\"]\n";
    let start = Instant::now();
    for end in (0..text.len()).step_by(2).chain([text.len()]) {
        fs::write(&path, &text[..end]).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(start.elapsed() > Duration::from_millis(450), "the file was written too fast to be seen");
    eventually("second", || log.policy().rules()[0].name() == "second").await;
    close(&log).await;
    assert!(of_kind(&memory, "alert").len() <= 1, "{:?}", of_kind(&memory, "alert"));
    assert_eq!(of_kind(&memory, "policy.changed").len(), 1);
}

#[tokio::test]
async fn a_half_written_file_costs_one_alert_and_is_taken_when_it_is_whole() {
    let scene = Scene::new();
    let whole = "[[rule]]\nname = \"second\"\nlevel = \"metadata\"\n";
    scene.write(&whole[..30]);
    scene.alerts(1).await;
    scene.write(whole);
    scene.comes_into_force("second").await;
    close(&scene.log).await;
    assert_eq!(scene.of_kind("alert").len(), 1);
}

#[tokio::test]
async fn reloading_on_demand_takes_the_file_at_once_or_says_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    fs::write(&path, rule("first")).unwrap();
    let memory = memory();
    let hour = Duration::from_secs(3_600);
    let log = builder(&memory).policy_file(&path).tune(|limits| limits.policy_interval = hour).open().unwrap();
    assert!(log.reload_policy().unwrap().is_none());

    fs::write(&path, rule("second")).unwrap();
    let change = log.reload_policy().unwrap().unwrap();
    assert_eq!(
        (&*change.difference.added, &*change.difference.removed),
        (&["second".into()][..], &["first".into()][..])
    );
    assert_eq!(change.digest, log.policy().digest());

    for _ in 0..3 {
        fs::write(&path, "rule = 7").unwrap();
        let error = log.reload_policy().unwrap_err();
        assert!(matches!(&error, ChangePolicyError::Policy(error) if error.position() == Some((1, 8))), "{error}");
    }
    fs::remove_file(&path).unwrap();
    assert!(log.reload_policy().unwrap_err().is_retryable());
    assert_eq!(log.policy().rules()[0].name(), "second");
    let start = Instant::now();
    close(&log).await;
    // Nobody waits for the next look.
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(of_kind(&memory, "alert").len(), 2);
    assert!(matches!(log.reload_policy(), Err(ChangePolicyError::Policy(_))));
}

#[tokio::test]
async fn without_a_file_there_is_nothing_to_reload() {
    let memory = memory();
    let log = builder(&memory).open().unwrap();
    assert!(matches!(log.reload_policy(), Err(ChangePolicyError::NoFile)));
    close(&log).await;
}

#[tokio::test]
async fn rules_set_by_hand_stay_until_the_file_changes() {
    let scene = Scene::new();
    scene.log.set_policy(Policy::from_toml(&rule("by hand")).unwrap()).unwrap();
    looks().await;
    assert_eq!(scene.in_force(), "by hand");
    // Written again with the same text, the file says nothing new.
    scene.replace(&rule("first"));
    looks().await;
    assert_eq!(scene.in_force(), "by hand");
    scene.write(&rule("second"));
    scene.comes_into_force("second").await;
    close(&scene.log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_that_changes_under_load_loses_no_call() {
    let scene = Scene::new();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let log = scene.log.clone();
            tokio::spawn(async move {
                for _ in 0..200 {
                    log.begin(&event()).await.unwrap().finish(Outcome::http(200));
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
        })
        .collect();
    for number in 0..8 {
        let name = format!("rule {number}");
        scene.replace(&rule(&name));
        scene.comes_into_force(&name).await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    close(&scene.log).await;
    assert_eq!(scene.of_kind("intent").len(), 1_600);
    assert_eq!(scene.of_kind("policy.changed").len(), 8);
    let mut brought = vec!["first".to_owned()];
    for record in records(&scene.memory) {
        if record["kind"] == "policy.changed" {
            brought.push(record["added"][0].as_str().unwrap().to_owned());
        } else if record["kind"] == "intent" {
            assert!(brought.iter().any(|name| record["policy"] == **name), "{record}");
        }
    }
}

fn threads(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name)).count()
}

/// In a process of its own, because it counts threads.
#[test]
fn the_thread_ends_with_the_log() {
    let name = "policy_file::the_thread_ends_with_the_log";
    if std::env::var_os("AUDIT_TEST_ALONE").is_none() {
        let this = std::env::current_exe().unwrap();
        let alone = std::process::Command::new(this).args([name, "--exact"]).env("AUDIT_TEST_ALONE", "1").status();
        assert!(alone.unwrap().success());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.toml");
        fs::write(&path, rule("first")).unwrap();
        let hour = Duration::from_secs(3_600);
        for is_closed in [true, false] {
            let (log, _memory, valve) = valved(Durability::Synced, |builder| {
                builder.policy_file(&path).tune(|limits| limits.policy_interval = hour)
            });
            // A thread takes its name when it first runs.
            eventually("the thread runs", || threads("audit-policy") == 1).await;
            if is_closed {
                close(&log).await;
            } else {
                drop(log);
            }
            eventually("the thread has ended", || threads("audit-policy") == 0).await;
            eventually("the store is let go", || std::sync::Arc::strong_count(&valve) == 1).await;
        }
    });
}

#[test]
fn an_interval_of_nothing_is_refused() {
    let error = builder(&memory()).tune(|limits| limits.policy_interval = Duration::ZERO).open().unwrap_err();
    assert!(error.to_string().contains("policy_interval"), "{error}");
}
