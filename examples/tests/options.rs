//! The command line of the servers.

use std::ffi::OsString;
use std::path::Path;

use examples::options::{Options, beside};

fn parse(line: &str) -> Result<Options, String> {
    let arguments = line.split_whitespace().map(OsString::from);
    Options::parse(arguments).map_err(|error| error.to_string())
}

#[test]
fn every_option_is_read() {
    let options = parse("--listen 127.0.0.1:0 --log d --policy p --key k --no-handled --capture-bodies").unwrap();
    assert_eq!(options.listen.port(), 0);
    assert_eq!(options.place().unwrap(), Path::new("d"));
    assert_eq!(options.policy.as_deref(), Some(Path::new("p")));
    assert_eq!(options.key.as_deref(), Some(Path::new("k")));
    assert!(!options.count_handled);
    assert!(options.capture_bodies);
}

#[test]
fn what_is_not_understood_is_named() {
    assert!(parse("--lgo d").unwrap_err().contains("--lgo"));
    assert!(parse("--log").unwrap_err().contains("--log needs a value"));
    assert!(parse("--listen here").is_err());
    let missing = parse("").unwrap().place().unwrap_err().to_string();
    assert!(missing.contains("--log or --config is missing"));
}

#[test]
fn a_log_is_in_a_directory_or_where_a_file_says() {
    let options = parse("--config audit.toml").unwrap();
    assert_eq!(options.place().unwrap(), Path::new("audit.toml"));
    let both = parse("--config audit.toml --log d").unwrap_err();
    assert!(both.contains("give one"), "{both}");
}

#[test]
fn companions_lie_beside_the_directory_and_not_in_it() {
    assert_eq!(beside(Path::new("/var/log/a"), "key"), Path::new("/var/log/a.key"));
    assert_eq!(beside(Path::new("a/"), "handled"), Path::new("a.handled"));
    assert_eq!(beside(Path::new("a.b"), "key"), Path::new("a.b.key"));
}

#[test]
fn the_configurations_that_come_with_the_examples_are_understood() {
    for name in ["s3.toml", "nats.toml", "postgres.toml"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let config = audit_backends::Config::from_file(&file).unwrap_or_else(|error| panic!("{error}"));
        assert!(!config.replicas.is_empty(), "{name} has no second place");
    }
}
