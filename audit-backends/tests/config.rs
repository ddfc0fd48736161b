//! Configurations: what they say, and what is refused, where and with which words.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

use std::fs;
use std::time::Duration;

use audit_backends::{Config, ConfigError, ConfigMistake, Section, WhenWeakened};
use audit_core::verify::Verifier;
use audit_core::{AuditLog, Key};
use proptest::prelude::*;

const WHOLE: &str = r#"
[primary]
url = "file:///var/lib/payments/audit"
segment_bytes = 16_777_216
min_free = "256MiB"

[[replica]]
name = "second disk"
url = "file:///mnt/second/audit"
lag_records = 50_000
lag_seconds = 90
lock_wait = "1s"

[[replica]]
url = "/mnt/third/audit"

[log]
when_weakened = "stop"
"#;

/// Where and why a text is refused.
fn refused(text: &str) -> ((usize, usize), String) {
    let error = Config::from_toml(text).expect_err(text);
    let position = error.position().expect("a position");
    let mistake = error.mistake().expect("a mistake").to_string();
    assert_eq!(error.to_string(), format!("configuration, line {}, column {}: {mistake}", position.0, position.1));
    (position, mistake)
}

#[test]
fn a_whole_configuration_is_read() {
    let config = Config::from_toml(WHOLE).expect("a configuration");
    assert_eq!(config.primary.url(), "file:///var/lib/payments/audit");
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(config.primary.options(), [option("segment_bytes", "16777216"), option("min_free", "256MiB")]);
    let [second, third] = config.replicas.as_slice() else { panic!("{config:?}") };
    assert_eq!(second.name.as_deref(), Some("second disk"));
    assert_eq!((second.lag_records, second.lag), (Some(50_000), Some(Duration::from_secs(90))));
    assert_eq!(second.section.options(), [option("lock_wait", "1s")]);
    assert_eq!((third.name.as_deref(), third.lag_records, third.lag), (None, None, None));
    assert_eq!(config.when_weakened, WhenWeakened::Stop);
}

#[test]
fn a_primary_alone_is_enough() {
    let config = Config::from_toml("primary.url = '/var/lib/audit'").expect("a configuration");
    assert_eq!((config.replicas.len(), config.when_weakened), (0, WhenWeakened::Alert));
}

#[test]
fn a_mistake_is_named_with_its_place_and_what_to_do() {
    let primary = "[primary]\nurl = \"/a\"\n";
    let cases = [
        (String::new(), (1, 1), "the configuration is empty: write a [primary] with a `url`"),
        (" \n ".into(), (1, 1), "the configuration is empty"),
        ("[primary".into(), (1, 9), "this is not TOML"),
        ("a = 1".into(), (1, 1), "unknown key `a`: the keys here are primary, replica, log"),
        ("[log]".into(), (1, 1), "nothing says where the log is written to: add a [primary] with a `url`"),
        ("primary = 1".into(), (1, 11), "`primary` takes one table: write [primary] with single brackets"),
        ("[[primary]]\nurl = \"/a\"".into(), (1, 1), "`primary` takes one table"),
        ("[primary]\nmin_free = 1".into(), (1, 1), "the section has no `url`: add one, such as"),
        ("[primary]\nurl = 7".into(), (2, 7), "`url` takes a text in quotes"),
        ("[primary]\nurl = \"ftp://x\"".into(), (2, 7), "no store has URLs that begin with `ftp://`"),
        ("[primary]\nurl = \"/a\"\nmin_fre = 1".into(), (3, 1), "unknown option `min_fre`: those of a directory are"),
        ("[primary]\nurl = \"/a\"\nname = \"x\"".into(), (3, 1), "unknown option `name`"),
        ("[primary]\nurl = \"/a\"\nlag_records = 1".into(), (3, 1), "unknown option `lag_records`"),
        (
            "[primary]\nurl = \"/a\"\nmin_free = 1.5".into(),
            (3, 12),
            "`min_free` takes a text in quotes, a whole number, or true or false",
        ),
        ("[primary]\nurl = \"/a\"\nmin_free = []".into(), (3, 12), "`min_free` takes a text in quotes"),
        ("[primary]\nurl = \"/a\"\nmin_free = true".into(), (3, 1), "`true` is no value for `min_free`"),
        (
            "[primary]\nurl = \"file:///a?min_free=1\"\nmin_free = 2".into(),
            (3, 1),
            "the option `min_free` is given twice",
        ),
        (
            format!("{primary}[replica]\nurl = \"/b\""),
            (3, 1),
            "`replica` takes tables: write [[replica]] with two brackets",
        ),
        (format!("{primary}[[replica]]\nname = \"x\""), (3, 1), "the section has no `url`"),
        (
            format!("{primary}[[replica]]\nurl = \"/a/\""),
            (4, 7),
            "`/a/` is the store of another section too: a copy in the same place protects nothing, remove one",
        ),
        (
            format!("{primary}[[replica]]\nurl = \"file://localhost/a?min_free=1\""),
            (4, 7),
            "is the store of another section too",
        ),
        (
            format!("{primary}[[replica]]\nurl = \"/b\"\n[[replica]]\nurl = \"/b\""),
            (6, 7),
            "`/b` is the store of another section too",
        ),
        (
            format!("{primary}[[replica]]\nurl = \"/b\"\nname = \"\""),
            (5, 8),
            "`` is no name for a replica: take 1 to 64 printable ASCII characters",
        ),
        (format!("{primary}[[replica]]\nurl = \"/b\"\nname = \" x\""), (5, 8), "` x` is no name for a replica"),
        (format!("{primary}[[replica]]\nurl = \"/b\"\nname = 1"), (5, 8), "`name` takes a text in quotes"),
        (
            format!("{primary}[[replica]]\nurl = \"/b\"\nname = \"{}\"", "x".repeat(65)),
            (5, 8),
            "is no name for a replica",
        ),
        (
            format!("{primary}[[replica]]\nurl = \"/b\"\nname = \"x\"\n[[replica]]\nurl = \"/c\"\nname = \"x\""),
            (8, 8),
            "an earlier replica is called `x` too: take another name",
        ),
        (
            format!("{primary}[[replica]]\nurl = \"/b\"\nlag_records = 0"),
            (5, 15),
            "`0` is no limit for `lag_records`: write a whole number from 1 on",
        ),
        (
            format!("{primary}[[replica]]\nurl = \"/b\"\nlag_records = -5"),
            (5, 15),
            "`-5` is no limit for `lag_records`",
        ),
        (
            format!("{primary}[[replica]]\nurl = \"/b\"\nlag_seconds = 99999999999999999999"),
            (5, 15),
            "is no limit for `lag_seconds`",
        ),
        (
            format!("{primary}[[replica]]\nurl = \"/b\"\nlag_seconds = \"5m\""),
            (5, 15),
            "`lag_seconds` takes a whole number",
        ),
        (
            format!("{primary}[log]\nwhen_weakened = \"panic\""),
            (4, 17),
            "`panic` is no word for `when_weakened`: take one of alert, stop",
        ),
        (format!("{primary}[log]\nwhen_weakened = true"), (4, 17), "`when_weakened` takes a text in quotes"),
        (
            format!("{primary}[log]\nwhen_weak = \"stop\""),
            (4, 1),
            "unknown key `when_weak`: the keys here are when_weakened",
        ),
    ];
    for (text, position, sentence) in cases {
        let (found, mistake) = refused(&text);
        assert!(mistake.contains(sentence), "{text}\n{mistake}");
        assert_eq!(found, position, "{text}\n{mistake}");
    }
}

#[test]
fn what_a_store_does_not_take_is_refused_where_it_stands() {
    let stores = [
        (cfg!(feature = "s3"), "s3", "s3://bucket/log", "retention_days = 0"),
        (cfg!(feature = "nats"), "nats", "nats://127.0.0.1/STREAM/log", "sync_always = \"perhaps\""),
        (cfg!(feature = "postgres"), "postgres", "postgres://writer@127.0.0.1/audit/log", "pool = 0"),
    ];
    for (built_in, feature, url, bad) in stores {
        let config = |line: &str| format!("[primary]\nurl = \"{url}\"\n{line}\n");
        if !built_in {
            let (position, mistake) = refused(&config(""));
            assert_eq!(position, (2, 7));
            assert!(mistake.contains(&format!("build it with the cargo feature `{feature}`")), "{mistake}");
            continue;
        }
        assert_eq!(Config::from_toml(&config("")).expect("a configuration").primary.url(), url);
        for line in ["nonsense = 1", bad] {
            let (position, mistake) = refused(&config(line));
            assert_eq!(position, (3, 1), "{mistake}");
            assert!(mistake.contains(line.split(' ').next().expect("a key")), "{mistake}");
        }
        let replica = format!("[primary]\nurl = \"/a\"\n[[replica]]\nurl = \"{url}\"\nname = \"x\"\n{bad}\n");
        assert_eq!(refused(&replica).0, (6, 1));
    }
}

#[test]
fn a_secret_does_not_stand_in_a_configuration() {
    let stores = [
        (cfg!(feature = "nats"), "nats://127.0.0.1/STREAM/log"),
        (cfg!(feature = "postgres"), "postgres://writer@127.0.0.1/audit/log"),
    ];
    for (_, url) in stores.into_iter().filter(|(built_in, _)| *built_in) {
        let (position, mistake) = refused(&format!("[primary]\nurl = \"{url}\"\npassword = \"hunter2\"\n"));
        assert!(mistake.contains("password_file") && !mistake.contains("hunter2"), "{mistake}");
        assert_eq!(position.0, 3);
    }
}

#[test]
#[cfg(feature = "s3")]
fn one_s3_url_at_two_endpoints_is_two_stores() {
    let config = |endpoint: &str| {
        format!(
            "[primary]\nurl = \"s3://bucket/log\"\nendpoint = \"http://127.0.0.1:1\"\n\
             [[replica]]\nurl = \"s3://bucket/log?endpoint={endpoint}\"\n"
        )
    };
    Config::from_toml(&config("http://127.0.0.1:2")).expect("a configuration");
    assert!(refused(&config("http://127.0.0.1:1")).1.contains("is the store of another section too"));
}

/// What is said of a primary and a replica.
fn both(primary: &str, replica: &str) -> Result<Config, ConfigError> {
    Config::from_toml(&format!("[primary]\nurl = {primary:?}\n[[replica]]\nurl = {replica:?}\n"))
}

#[test]
fn one_directory_under_two_names_is_one_store() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir(place("log")).expect("a directory");
    std::os::unix::fs::symlink(place("log"), place("link")).expect("a link");
    let log = place("log");
    for other in [
        format!("{log}/"),
        format!("file://{log}"),
        format!("file://localhost{log}/"),
        format!("file:///{log}"),
        format!("file://{}", log.replace("log", "l%6Fg")),
        place("./log"),
        place("log/../log"),
        place("link"),
        format!("file://{}", place("link")),
    ] {
        let error = both(&log, &other).expect_err(&other);
        assert!(error.to_string().contains("is the store of another section too"), "{other}: {error}");
        assert_eq!(Section::new(&other, []).place(), Section::new(&log, []).place(), "{other}");
    }
    // A directory that is still to be made lies where its link leads.
    assert!(both(&place("log/new"), &place("link/new")).is_err());
    for other in [place("log2"), place("link/new"), place("log/new")] {
        both(&log, &other).expect("two stores");
    }
}

#[test]
fn one_server_under_two_names_is_one_store() {
    let is_same = |one: &str, other: &str| Section::new(one, []).is_same_store(&Section::new(other, []));
    for (one, other) in [
        ("nats://h/S/log", "nats://h:4222/S/log/"),
        ("nats://h/S/log", "tls://H/S/log?read_timeout=5s"),
        ("nats://a,b/S/log", "nats://c,b:4222/S/log"),
        ("nats://h/S/log?subject_prefix=audit", "nats://reader@h/S/log"),
        ("postgres://one@h/db/log", "postgresql://two@H:5432/db/log"),
        ("postgres://one@h/db/a%2Db?schema=audit_log", "postgres://one@h/db/a-b"),
        ("s3://bucket/a%20b", "s3://bucket/a b/?region=eu-central-1"),
    ] {
        assert!(is_same(one, other) && is_same(other, one), "{one} {other}");
    }
    for (one, other) in [
        ("nats://h/S/log", "nats://h:4223/S/log"),
        ("nats://h/S/log", "nats://h/S/log?domain=leaf"),
        ("nats://h/S/log", "s3://h/S/log"),
        ("postgres://one@h/db/log", "postgres://one@h/db/log?schema=other"),
        ("postgres://one@h/db/log", "postgres://one@h/other/log"),
        ("s3://bucket/log", "s3://bucket/log2"),
        ("s3://bucket/log", "s3://bucket/log?endpoint=http://h:1"),
    ] {
        assert!(!is_same(one, other), "{one} {other}");
    }
}

#[test]
fn a_place_is_written_in_one_way() {
    for (url, options, place) in [
        ("postgresql://me@DB/audit/log?pool=2", vec![], "postgres://db:5432/audit/log"),
        ("tls://b,a:1/S/", vec![], "nats://a:1,b:4222/S"),
        ("s3://bucket", vec![("endpoint".to_owned(), "http://h:1/".to_owned())], "s3://bucket?endpoint=http://h:1"),
        ("ftp://what", vec![], "ftp://what"),
    ] {
        assert_eq!(Section::new(url, options).place(), place);
    }
}

#[test]
fn the_bounds_of_a_configuration_are_kept() {
    let replicas = |count: usize| {
        let replicas: String = (0..count).map(|at| format!("[[replica]]\nurl = \"/{at}\"\n")).collect();
        format!("[primary]\nurl = \"/a\"\n{replicas}")
    };
    assert_eq!(Config::from_toml(&replicas(8)).expect("a configuration").replicas.len(), 8);
    assert_eq!(refused(&replicas(9)).1, "there are more than 8 replicas: remove some");

    let options: String = (0..64).map(|at| format!("x{at} = 1\n")).collect();
    assert_eq!(
        refused(&format!("[primary]\nurl = \"/a\"\n{options}")).1,
        "the section has more than 64 keys: remove some"
    );

    let comment = format!("[primary]\nurl = \"/a\"\n#{}\n", " ".repeat(1 << 20));
    assert_eq!(refused(&comment).1, "the configuration is longer than 1 MiB: shorten it");
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("audit.toml");
    fs::write(&file, comment).expect("written");
    let error = Config::from_file(&file).expect_err("too long");
    assert_eq!(error.mistake(), Some(&ConfigMistake::TooLong));
}

#[test]
fn a_file_is_named_in_what_is_said_of_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("audit.toml");
    fs::write(&file, "[primary]\nurl = 7\n").expect("written");
    let error = Config::from_file(&file).expect_err("a mistake");
    assert_eq!(error.to_string(), format!("{}:2:7: `url` takes a text in quotes", file.display()));
    let error = Config::from_file(folder.path().join("none.toml")).expect_err("no file");
    assert!(matches!(error, ConfigError::Read { .. }));
    assert!(error.to_string().starts_with("cannot read the configuration "), "{error}");
    fs::write(&file, b"\xff\xfe").expect("written");
    assert!(matches!(Config::from_file(&file), Err(ConfigError::Read { .. })));
    fs::write(&file, WHOLE).expect("written");
    assert_eq!(Config::from_file(&file).expect("a configuration"), Config::from_toml(WHOLE).expect("a configuration"));
}

#[test]
fn what_a_configuration_says_reaches_the_log() {
    let folder = tempfile::tempdir().expect("a directory");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let config = Config::from_toml(&format!(
        "[primary]\nurl = {:?}\nmin_free = 0\n[[replica]]\nname = \"other\"\nurl = {:?}\nmin_free = 0\n",
        place("log"),
        place("copy")
    ))
    .expect("a configuration");
    let builder = AuditLog::builder("payments.example.com").key(Key::generate("payments.example.com").expect("a key"));
    let log = config.apply(builder).expect("stores").open().expect("a log");
    let health = log.health();
    assert_eq!(health.replicas.iter().map(|replica| replica.name.as_str()).collect::<Vec<_>>(), ["other"]);
    drop(log);
    let verdict = Verifier::new().run(&*config.primary.reader().expect("a log"));
    assert_eq!(verdict.judgement().to_string(), "intact");
    assert_eq!(config.primary.logs().expect("logs"), [place("log")]);
}

#[test]
fn a_hostile_text_is_shown_harmless_and_short() {
    let (_, mistake) = refused("\"\\u001b[2J\\u202e\" = 1");
    assert!(!mistake.contains('\u{1b}') && !mistake.contains('\u{202e}'), "{mistake:?}");
    let (_, mistake) = refused(&format!("{} = 1", "k".repeat(10_000)));
    assert!(mistake.len() < 300, "{}", mistake.len());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = Config::from_toml(&text);
    }

    #[test]
    fn something_like_a_configuration_is_read_or_refused_at_a_place_in_it(
        lines in proptest::collection::vec(
            prop_oneof![
                Just("[primary]".to_owned()), Just("[[replica]]".to_owned()), Just("[log]".to_owned()),
                "(url|name|min_free|lag_records|when_weakened|x) = (1|true|\"[a-z/:]{0,9}\"|\\[\\]|-2)",
                "[\\PC]{0,12}",
            ],
            0..9,
        )
    ) {
        let text = lines.join("\n");
        if let Err(error) = Config::from_toml(&text) {
            let (line, column) = error.position().expect("a position");
            prop_assert!(line >= 1 && line <= text.matches('\n').count() + 1);
            let length = text.split('\n').nth(line - 1).expect("the line").chars().count();
            prop_assert!(column >= 1 && column <= length + 1, "{}:{} in {:?}", line, column, text);
        }
    }
}
