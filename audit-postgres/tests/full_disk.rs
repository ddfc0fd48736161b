//! A tablespace that is full: mounts a small file system, which needs root.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use audit_core::backend::{Backend as _, BackendError, Head};
use audit_core::conformance::{Sample, VERIFIER_KEY};
use audit_postgres::{Postgres, Role, grants};
use real_servers::Postgres as Server;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A file system in memory of some megabytes, until it is dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn of_megabytes(size: u32) -> Self {
        let small = Self(tempfile::tempdir().unwrap());
        let options = format!("size={size}m,uid=postgres,gid=postgres,mode=0700");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(small.0.path()));
        small
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy").arg(self.0.path()));
    }
}

#[test]
fn a_full_disk_is_told_as_one_and_the_log_goes_on_when_there_is_room() {
    let small = Small::of_megabytes(16);
    let server = Server::start().unwrap();
    for (role, user) in [(Role::Administrator, "admin"), (Role::Writer, "writer")] {
        server.psql(&grants(role, &format!("postgres://{user}@127.0.0.1/postgres"), &[]).unwrap()).unwrap();
        server.login(user).unwrap();
    }
    server.psql(&format!("CREATE TABLESPACE small LOCATION '{}'", small.path().display())).unwrap();
    server.psql("ALTER TABLE audit_log.lines SET TABLESPACE small").unwrap();
    let password = server.write("client", Server::PASSWORD).unwrap();
    let options = [("password_file".to_owned(), password.display().to_string())];
    let url = format!("postgres://writer@127.0.0.1:{}/postgres/log", server.port());
    let mut writer = Postgres::from_url(&url, &options).unwrap();
    writer.open(soon()).unwrap();
    writer.create(VERIFIER_KEY, soon()).unwrap();

    let mut head = Head::EMPTY;
    let full = loop {
        // What does not compress takes the room that it says.
        let noise: String = (0..400).map(|_| format!("{:x}", fastrand::u64(..))).collect();
        let sample = Sample::after(head).lines(100, &noise);
        match writer.append(head, &sample.batch(), soon()) {
            Ok(_) => head = sample.head(),
            Err(error) => break (error, sample),
        }
        assert!(head.size < 100_000, "16 MiB are never full");
    };
    assert!(matches!(&full.0, BackendError::Full { detail } if detail.contains("No space left")), "{:?}", full.0);
    assert_eq!(writer.head(soon()).unwrap(), head);
    server.psql("ALTER TABLE audit_log.lines SET TABLESPACE pg_default").unwrap();
    writer.append(head, &full.1.batch(), soon()).unwrap();
    assert_eq!(writer.head(soon()).unwrap(), full.1.head());
}
