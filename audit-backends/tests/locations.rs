//! From a location to a store: which there is, and what is said where there is none.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

use std::error::Error as _;
use std::fs;
use std::time::{Duration, Instant};

use audit_backends::{FileLocationError, LocationError, Role, grants, logs, open, reader};
use audit_core::verify::{ReadError, Verifier};
use audit_core::{AuditLog, Key};

fn option(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn refused(location: &str, options: &[(String, String)]) -> LocationError {
    match open(location, options) {
        Ok(store) => panic!("{location} {options:?}: {store:?}"),
        Err(error) => error,
    }
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[test]
fn a_directory_is_opened_as_a_path_and_as_a_url() {
    let folder = tempfile::tempdir().expect("a directory");
    let dir = folder.path().join("a b");
    let path = dir.to_str().expect("a path").to_owned();
    let url = format!("file://{}", path.replace(' ', "%20"));
    for location in [path.as_str(), &url, &url.replace("file://", "file://localhost")] {
        let mut store = open(location, &[]).expect(location);
        assert_eq!(store.name(), "file");
        store.open(deadline()).expect("opened");
        assert!(dir.join("LOCK").exists(), "{location}");
    }
}

#[test]
fn a_log_that_was_written_through_a_url_is_read_through_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let url = format!("file://{}/log?min_free=0", folder.path().display());
    let log = AuditLog::builder("payments.example.com")
        .key(Key::generate("payments.example.com").expect("a key"))
        .boxed_backend(open(&url, &[]).expect("a store"))
        .open()
        .expect("a log");
    drop(log);
    let verdict = Verifier::new().run(&*reader(&url, &[]).expect("a log"));
    assert_eq!(verdict.judgement().to_string(), "intact");
    assert!(verdict.records > 0);
    assert_eq!(logs(&url, &[]).expect("logs"), [url.as_str()]);
    let prefix = format!("file://{}?min_free=0", folder.path().display());
    assert_eq!(logs(&prefix, &[]).expect("logs"), [url]);
}

#[test]
fn options_stand_in_the_query_or_beside_it() {
    for (query, options) in [
        ("?segment_bytes=1024&min_free=16MiB&lock_wait=250ms", vec![]),
        ("?segment_bytes=1024", vec![option("min_free", "1GiB"), option("lock_wait", "10s")]),
        ("", vec![option("segment_bytes", "64KiB"), option("min_free", "0"), option("lock_wait", "0s")]),
    ] {
        let location = format!("file:///var/lib/audit{query}");
        open(&location, &options).expect(&location);
    }
    // What they say reaches the store: a wait shows in how long a locked log takes.
    let folder = tempfile::tempdir().expect("a directory");
    let location = folder.path().to_str().expect("a path");
    let mut first = open(location, &[]).expect("a store");
    first.open(deadline()).expect("opened");
    let began = Instant::now();
    let mut second = open(location, &[option("lock_wait", "300ms")]).expect("a store");
    second.open(deadline()).expect_err("in use");
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn an_option_that_means_nothing_is_refused_by_name() {
    let cases = [
        (
            "/a",
            option("segment_byte", "1"),
            "unknown option `segment_byte`: those of a directory are segment_bytes, min_free, lock_wait",
        ),
        ("file:///a?min_free=1", option("min_free", "2"), "the option `min_free` is given twice: leave one out"),
        ("/a", option("min_free", "-1"), "`-1` is no value for `min_free`: write a whole number of bytes"),
        ("/a", option("min_free", "99999999999999GiB"), "is no value for `min_free`"),
        ("/a", option("min_free", ""), "is no value for `min_free`"),
        ("/a", option("min_free", "1MB"), "`1MB` is no value for `min_free`"),
        ("/a", option("lock_wait", "10"), "`10` is no value for `lock_wait`: write a whole number of ms or s"),
        ("/a", option("lock_wait", "3601s"), "`3601s` is no value for `lock_wait`"),
        ("file:///a?what", option("min_free", "1"), "unknown option `what`"),
    ];
    for (location, option, sentence) in cases {
        let error = refused(location, &[option]);
        assert!(error.to_string().contains(sentence), "{location}: {error}");
        let source = error.source().and_then(|source| source.downcast_ref::<FileLocationError>());
        assert!(source.is_some(), "{error:?}");
        assert_eq!(error.to_string().lines().count(), 1);
    }
}

#[test]
fn a_url_of_another_machine_or_with_a_broken_escape_is_refused() {
    for (location, sentence) in [
        ("file://host/var/lib/audit", "names a directory of this machine, like `file:///var/lib/payments/audit`"),
        ("file://var", "names a directory of this machine"),
        ("file:///a%2", "`%` stands before two hexadecimal digits"),
        ("file:///a%zz", "`%` stands before two hexadecimal digits"),
        ("file:///a%00b", "`%` stands before two hexadecimal digits"),
        ("file:///a?min_free=%f", "`%` stands before two hexadecimal digits"),
    ] {
        let error = refused(location, &[]);
        assert!(error.to_string().contains(sentence), "{location}: {error}");
        let read = reader(location, &[]).expect_err(location);
        assert_eq!(read.to_string(), error.to_string());
    }
}

#[test]
fn what_only_looks_like_a_url_is_no_directory() {
    for (location, sentence) in [
        ("s3:/bucket/prefix", "`s3:` begins a URL, and `//` has to follow; a directory of such a name is `./s3:…`"),
        ("file:/var/lib/audit", "`file:` begins a URL, and `//` has to follow"),
        ("postgresql:x", "`postgresql:` begins a URL"),
        ("", "no location is given"),
        ("/var/lib/audit?min_free=1MiB", "has no `?` in it: give settings as in `file:///dir?min_free=1MiB`"),
    ] {
        for error in [
            refused(location, &[]),
            reader(location, &[]).expect_err(location),
            logs(location, &[]).expect_err(location),
        ] {
            assert!(error.to_string().contains(sentence), "{location}: {error}");
            assert_eq!(error.to_string().lines().count(), 1);
        }
    }
    for location in ["./s3:/bucket", "/a:b", "relative/dir", "x/a:b", "file:///a%3Fb"] {
        open(location, &[]).expect(location);
    }
}

#[test]
fn a_secret_in_a_mistaken_location_is_not_repeated() {
    for location in
        ["file://bob:S3CRET@host/x", "/dir?password=S3CRET", "file://host/x?password=S3CRET", "file:///%?k=S3CRET"]
    {
        for error in [refused(location, &[]), reader(location, &[]).expect_err(location)] {
            assert!(!format!("{error} {error:?}").contains("S3CRET"), "{location}: {error:?}");
        }
    }
    assert!(refused("file://bob:S3CRET@host/x", &[]).to_string().starts_with("file://host/x: "));
}

#[test]
fn a_log_that_is_made_of_a_prefix_hides_no_log_under_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let prefix = folder.path().display().to_string();
    for name in ["a", "deep/b"] {
        fs::create_dir_all(folder.path().join(name).join("segments")).expect("a directory");
    }
    let below = [format!("{prefix}/a"), format!("{prefix}/deep/b")];
    assert_eq!(logs(&prefix, &[]).expect("logs"), below);
    fs::create_dir(folder.path().join("segments")).expect("a directory");
    assert_eq!(logs(&prefix, &[]).expect("logs"), [&[prefix.clone()][..], &below].concat());
    // What a log has in its own directories is no log.
    for own in ["segments", "checkpoints", "tile", "quarantine"] {
        fs::create_dir_all(folder.path().join("a").join(own).join("x/segments")).expect("a directory");
    }
    assert_eq!(logs(&below[0], &[]).expect("logs"), below[..1]);
}

#[test]
fn a_scheme_that_no_store_has_is_refused_and_shown_harmless() {
    for (location, sentence) in [
        (
            "ftp://host/a",
            "no store has URLs that begin with `ftp://`: give a directory, or a file://, s3://, nats:// or postgres:// URL",
        ),
        ("S3://bucket/log", "begin with `S3://`"),
        ("\u{1b}[2J://x", "begin with `\\u{1b}[2J://`"),
        ("://x", "begin with `://`"),
    ] {
        for error in [
            refused(location, &[]),
            reader(location, &[]).expect_err(location),
            logs(location, &[]).expect_err(location),
            grants(Role::Writer, location, &[]).expect_err(location),
        ] {
            assert!(matches!(error, LocationError::UnknownScheme { .. }), "{error:?}");
            assert!(error.to_string().contains(sentence), "{error}");
        }
    }
}

#[test]
fn a_store_that_is_not_built_in_is_refused_with_the_feature_that_brings_it() {
    let stores = [
        (cfg!(feature = "s3"), "s3", "s3://bucket/log"),
        (cfg!(feature = "nats"), "nats", "nats://127.0.0.1:4222/STREAM/log"),
        (cfg!(feature = "postgres"), "postgres", "postgres://writer@127.0.0.1:5432/audit/log"),
    ];
    for (built_in, feature, url) in stores {
        if built_in {
            assert_eq!(open(url, &[]).expect(url).name(), feature);
            continue;
        }
        for error in [
            refused(url, &[]),
            reader(url, &[]).expect_err(url),
            logs(url, &[]).expect_err(url),
            grants(Role::Reader, url, &[]).expect_err(url),
        ] {
            assert_eq!(
                error.to_string(),
                format!("this program was built without {feature}://: build it with the cargo feature `{feature}`")
            );
        }
    }
}

#[test]
fn a_store_that_is_built_in_names_its_rights_and_a_directory_has_none() {
    let error = grants(Role::Writer, "/var/lib/audit", &[]).expect_err("no rights");
    assert!(error.to_string().contains("those of the file system"), "{error}");
    let stores = [
        (cfg!(feature = "s3"), "s3://bucket/fleet/log", "s3:PutObject"),
        (cfg!(feature = "nats"), "nats://127.0.0.1:4222/STREAM/log", "publish"),
        (cfg!(feature = "postgres"), "postgres://payments@127.0.0.1:5432/audit/log", "GRANT"),
    ];
    for (_, url, word) in stores.into_iter().filter(|(built_in, ..)| *built_in) {
        let writer = grants(Role::Writer, url, &[]).expect(url);
        assert!(writer.contains(word), "{writer}");
        let others = [Role::Reader, Role::Administrator].map(|role| grants(role, url, &[]).expect(url));
        assert!(!others.contains(&writer), "each role has rights of its own");
    }
}

#[test]
fn what_is_no_log_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a directory");
    let empty = folder.path().to_str().expect("a path");
    for error in [reader(empty, &[]).expect_err("no log"), logs(empty, &[]).expect_err("no log")] {
        assert!(matches!(error, LocationError::Read(ReadError::NotALog { .. })), "{error:?}");
        assert!(error.to_string().starts_with(&format!("{empty} is not a log")), "{error}");
    }
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let error = logs(file.to_str().expect("a path"), &[]).expect_err("no log");
    assert!(error.to_string().contains("it is not a directory"), "{error}");
}

#[test]
fn a_name_that_only_a_url_can_spell_is_found_again() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("a directory");
    for name in [&b"a b%?#"[..], b"\xff\xfe", b"x:", "gr\u{fc}n".as_bytes()] {
        let dir = folder.path().join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir(&dir).expect("a directory");
        fs::write(dir.join("log.pub"), "").expect("written");
    }
    let prefix = folder.path().to_str().expect("a path").to_owned();
    for location in [prefix.clone(), format!("file://{prefix}")] {
        let found = logs(&location, &[]).expect("logs");
        assert_eq!(found.len(), 4);
        for log in found {
            reader(&log, &[]).expect(&log);
        }
    }
}

#[test]
fn more_directories_than_anybody_has_logs_are_not_looked_through() {
    // In memory where that is possible: a disk takes minutes to make as many.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory");
    for directory in 0..=100_000 {
        fs::create_dir(folder.path().join(directory.to_string())).expect("a directory");
    }
    let location = folder.path().to_str().expect("a path");
    let error = logs(location, &[]).expect_err("too many");
    assert!(error.to_string().contains("more than 100000 directories"), "{error}");
    fs::remove_dir(folder.path().join("0")).expect("removed");
    let error = logs(location, &[]).expect_err("no log");
    assert!(error.to_string().contains("no log lies below it"), "{error}");
}

#[test]
fn what_cannot_be_listed_is_an_error_and_not_left_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a directory");
    let log = folder.path().join("log");
    fs::create_dir(&log).expect("a directory");
    fs::write(log.join("log.pub"), "").expect("written");
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).expect("a directory");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("closed");
    let listed = logs(folder.path().to_str().expect("a path"), &[]);
    // Root may list everything, and then there is nothing that could be left out.
    if fs::read_dir(&closed).is_err() {
        assert!(matches!(listed, Err(LocationError::Read(ReadError::Unavailable { .. }))), "{listed:?}");
    } else {
        assert_eq!(listed.expect("logs").len(), 1);
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("opened");
}
