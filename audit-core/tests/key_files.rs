//! Private keys in files and in the environment: what is refused, and what the refusal says.

#![allow(clippy::unwrap_used, reason = "what is shared between tests may fail them")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use audit_core::key::{Key, KeyError};
use tempfile::TempDir;

const PRIVATE: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

fn file(directory: &TempDir, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
    let path = directory.path().join("audit.key");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn message(path: &Path) -> String {
    Key::from_file(path).unwrap_err().to_string()
}

#[test]
fn a_written_key_file_is_private_and_reads_back() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("audit.key");
    let key = Key::generate("pay.example/prod-1").unwrap();
    key.write_new_file(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(Key::from_file(&path).unwrap().verifier(), key.verifier());
    assert!(fs::read_to_string(&path).unwrap().ends_with('\n'));
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "precious", 0o600);
    let key = Key::generate("log").unwrap();
    let error = key.write_new_file(&path).unwrap_err();
    assert!(matches!(error, KeyError::Exists { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_key_file_that_others_can_use_is_refused_with_path_mode_and_remedy() {
    let directory = TempDir::new().unwrap();
    for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o601, 0o777] {
        let path = file(&directory, PRIVATE, mode);
        let message = message(&path);
        let path = path.display().to_string();
        assert!(message.contains(&format!("{mode:04o}")), "{message}");
        assert!(message.contains(&format!("chmod 600 {path}")), "{message}");
    }
    for mode in [0o600, 0o400] {
        let path = file(&directory, PRIVATE, mode);
        assert_eq!(Key::from_file(&path).unwrap().name(), "PeterNeumann");
    }
}

#[test]
fn a_symbolic_link_is_judged_by_the_file_it_leads_to() {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, PRIVATE, 0o644);
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(Key::from_file(&link), Err(KeyError::Exposed { mode: 0o644, .. })));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert!(Key::from_file(&link).is_ok());
}

#[test]
fn a_missing_key_file_is_answered_with_how_to_make_one() {
    let directory = TempDir::new().unwrap();
    let message = message(&directory.path().join("none.key"));
    assert!(message.contains("none.key"), "{message}");
    assert!(message.contains("audit keygen"), "{message}");
}

#[test]
fn each_fault_of_a_key_file_is_named_with_its_path() {
    let directory = TempDir::new().unwrap();
    let long = "x".repeat(5_000);
    let cases: [(&[u8], &str); 7] = [
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"garbage", "does not start with PRIVATE+KEY+"),
        (b"\xff\xfe\x00", "it is not text"),
        (long.as_bytes(), "longer than 4,096 bytes"),
        (b"PRIVATE+KEY+name+00000000+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABA==", "ECDSA"),
        (b"PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz", "the key id is c74f20a4"),
    ];
    for (content, expected) in cases {
        let path = file(&directory, content, 0o600);
        let message = message(&path);
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("audit.key"), "{message}");
    }
}

#[test]
fn a_directory_is_no_key_file() {
    let directory = TempDir::new().unwrap();
    let error = Key::from_file(directory.path()).unwrap_err();
    assert!(matches!(error, KeyError::Io { .. }), "{error}");
}

#[test]
fn a_key_file_in_a_missing_directory_is_not_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("none").join("audit.key");
    let key = Key::generate("log").unwrap();
    let error = key.write_new_file(&path).unwrap_err();
    assert!(matches!(error, KeyError::Io { .. }), "{error}");
    assert!(error.to_string().contains("audit.key"));
}

#[test]
fn an_unset_variable_is_named() {
    let message = Key::from_env("AUDIT_KEY_THAT_NOBODY_SETS").unwrap_err().to_string();
    assert!(message.contains("AUDIT_KEY_THAT_NOBODY_SETS"), "{message}");
    assert!(message.contains("audit keygen"), "{message}");
}

#[test]
fn a_variable_that_holds_no_key_is_named_and_not_repeated() {
    // Set by cargo for every test; setting one here would need unsafe code.
    let message = Key::from_env("CARGO_PKG_NAME").unwrap_err().to_string();
    assert!(message.contains("CARGO_PKG_NAME"), "{message}");
    assert!(!message.contains("audit-core"), "{message}");
}
