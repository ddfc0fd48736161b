//! Ceph's RADOS Gateway: an S3 server that enforces Object Lock, and ignores conditional writes.

use std::fmt::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{Failure, Process, free_port, program};

/// How long a daemon may take to be ready.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where the objects are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CephStore {
    /// In memory: fast, and gone when it stops.
    Memory,
    /// On disk: what was acknowledged outlives SIGKILL.
    Disk,
}

/// Somebody whom the gateway knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CephUser {
    /// The name.
    pub name: String,
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
}

/// One monitor, one store of objects, one gateway.
#[derive(Debug)]
pub struct Ceph {
    daemons: Vec<Process>,
    port: u16,
    owner: CephUser,
    folder: TempDir,
}

impl Ceph {
    /// Starts all three on free ports, with one user that may make buckets.
    ///
    /// # Errors
    ///
    /// When they are not installed, or do not become ready.
    pub fn start(store: CephStore) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let monitor = free_port()?;
        let owner = user("owner");
        let mut ceph = Self { daemons: Vec::new(), port, owner, folder };
        ceph.prepare(store, monitor)?;
        ceph.start_monitor()?;
        ceph.start_objects()?;
        ceph.start_gateway()?;
        let owner = ceph.owner.clone();
        ceph.add(&owner)?;
        ceph.admin(&["caps", "add", "--uid", &owner.name, "--caps", "user-policy=*"])?;
        Ok(ceph)
    }

    /// The port of the gateway.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the gateway.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The user that may make buckets.
    #[must_use]
    pub const fn owner(&self) -> &CephUser {
        &self.owner
    }

    /// Makes another user, with nothing of its own.
    ///
    /// # Errors
    ///
    /// When there is one of this name.
    pub fn add_user(&self, name: &str) -> Result<CephUser, Failure> {
        let user = user(name);
        self.add(&user)?;
        Ok(user)
    }

    /// Limits a user to `kilobytes` in each of its buckets.
    ///
    /// # Errors
    ///
    /// When the gateway does not know the user.
    pub fn limit(&self, user: &CephUser, kilobytes: u64) -> Result<(), Failure> {
        let size = format!("--max-size={kilobytes}K");
        for scope in ["user", "bucket"] {
            let scope = format!("--quota-scope={scope}");
            self.admin(&["quota", "set", "--uid", &user.name, &scope, &size])?;
            self.admin(&["quota", "enable", "--uid", &user.name, &scope])?;
        }
        Ok(())
    }

    /// Deletes one object with all its versions as the operator of the store, above every lock.
    ///
    /// # Errors
    ///
    /// When the program fails.
    pub fn delete_as_operator(&self, bucket: &str, key: &str, version: &str) -> Result<(), Failure> {
        self.admin(&["object", "rm", "--bucket", bucket, "--object", key, "--object-version", version]).map(drop)
    }

    /// Ends all daemons with SIGKILL, the gateway first.
    pub fn kill_everything(&mut self) {
        while let Some(mut daemon) = self.daemons.pop() {
            daemon.kill();
        }
    }

    /// Starts them again on what is on disk, after [`kill_everything`](Self::kill_everything).
    ///
    /// # Errors
    ///
    /// When they do not become ready.
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.kill_everything();
        self.run_monitor()?;
        self.run_objects()?;
        self.start_gateway()
    }

    /// The gateway's process.
    ///
    /// # Panics
    ///
    /// When everything has been killed.
    pub fn gateway(&mut self) -> &mut Process {
        #[expect(clippy::expect_used, reason = "a test that kills everything knows that it did")]
        self.daemons.last_mut().expect("the gateway does not run")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes the configuration and the keys.
    fn prepare(&self, store: CephStore, monitor: u16) -> Result<(), Failure> {
        for folder in ["mon", "osd", "run", "log", "rgw"] {
            std::fs::create_dir(self.path(folder))?;
        }
        let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid")?;
        std::fs::write(
            self.path("ceph.conf"),
            configuration(self.folder.path(), id.trim(), store, monitor, self.port),
        )?;
        let keyring = self.text("keyring");
        self.run(
            "ceph-authtool",
            &["--create-keyring", &keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"],
        )?;
        let admin = [
            "--gen-key",
            "-n",
            "client.admin",
            "--cap",
            "mon",
            "allow *",
            "--cap",
            "osd",
            "allow *",
            "--cap",
            "mgr",
            "allow *",
        ];
        self.run("ceph-authtool", &[&[keyring.as_str()], &admin[..]].concat())?;
        let gateway = [
            "--gen-key",
            "-n",
            "client.rgw",
            "--cap",
            "mon",
            "allow rwx",
            "--cap",
            "osd",
            "allow rwx",
            "--cap",
            "mgr",
            "allow rw",
        ];
        self.run("ceph-authtool", &[&[keyring.as_str()], &gateway[..]].concat())?;
        let address = format!("[v2:127.0.0.1:{monitor}]");
        let map = self.text("monmap");
        self.run("monmaptool", &["--create", "--fsid", id.trim(), "--addv", "a", &address, &map])?;
        self.run("ceph-mon", &["--mkfs", "-i", "a", "--monmap", &map, "--keyring", &keyring]).map(drop)
    }

    fn start_monitor(&mut self) -> Result<(), Failure> {
        self.run_monitor()?;
        self.wait("ceph-mon", |ceph| ceph.run("ceph", &["--connect-timeout", "5", "quorum_status"]).is_ok())
    }

    fn run_monitor(&mut self) -> Result<(), Failure> {
        self.daemon("ceph-mon", "ceph-mon", &["-f", "-i", "a"])
    }

    fn start_objects(&mut self) -> Result<(), Failure> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid")?;
        let key = self.run("ceph-authtool", &["--gen-print-key"])?;
        let key = key.trim();
        let secret = self.path("osd.secret");
        std::fs::write(&secret, format!("{{\"cephx_secret\": \"{key}\"}}"))?;
        self.run("ceph", &["osd", "new", id.trim(), "-i", &secret.display().to_string()])?;
        std::fs::write(self.path("osd/keyring"), format!("[osd.0]\n\tkey = {key}\n"))?;
        self.run("ceph-osd", &["-i", "0", "--mkfs", "--osd-uuid", id.trim()])?;
        self.run_objects()?;
        self.wait("ceph-osd", |ceph| ceph.run("ceph", &["osd", "stat"]).is_ok_and(|said| said.contains("1 up")))
    }

    fn run_objects(&mut self) -> Result<(), Failure> {
        self.daemon("ceph-osd", "ceph-osd", &["-f", "-i", "0"])
    }

    fn start_gateway(&mut self) -> Result<(), Failure> {
        self.daemon("radosgw", "radosgw", &["-f", "-n", "client.rgw"])?;
        self.wait("radosgw", |ceph| TcpStream::connect(("127.0.0.1", ceph.port)).is_ok())
    }

    fn add(&self, user: &CephUser) -> Result<(), Failure> {
        let (key, secret) = (format!("--access-key={}", user.access_key), format!("--secret-key={}", user.secret_key));
        self.admin(&["user", "create", "--uid", &user.name, "--display-name", &user.name, &key, &secret]).map(drop)
    }

    /// Runs `radosgw-admin` as the operator of the store.
    fn admin(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.run("radosgw-admin", &[&["-n", "client.rgw"], arguments].concat())
    }

    fn daemon(&mut self, name: &str, package: &str, arguments: &[&str]) -> Result<(), Failure> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let environment = [("CEPH_CONF", self.text("ceph.conf"))];
        let log = self.path("log").join(format!("{name}.out"));
        self.daemons.push(Process::start(&program(name, package)?, &arguments, &environment, &log)?);
        Ok(())
    }

    fn wait(&self, name: &str, mut ready: impl FnMut(&Self) -> bool) -> Result<(), Failure> {
        let daemon = self.daemons.last().ok_or_else(|| format!("{name} was not started"))?;
        daemon.wait_until_ready(PATIENCE, || ready(self))
    }

    /// Runs one of Ceph's programs to its end; gives what it printed.
    fn run(&self, name: &str, arguments: &[&str]) -> Result<String, Failure> {
        let package = if name == "radosgw-admin" { "radosgw" } else { "ceph-common" };
        let output = Command::new(program(name, package)?)
            .args(arguments)
            .env("CEPH_CONF", self.text("ceph.conf"))
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<&str> = said.lines().rev().take(8).collect();
        Err(format!("{name} {arguments:?}: {}: {}", output.status, said.join(" | ")).into())
    }
}

impl Drop for Ceph {
    fn drop(&mut self) {
        // The gateway first: without a store it would wait for one.
        self.kill_everything();
    }
}

fn user(name: &str) -> CephUser {
    let key = format!("AK{:0>18}", name.to_ascii_uppercase().replace('-', "0"));
    CephUser { name: name.to_owned(), access_key: key, secret_key: format!("{name:x<40}") }
}

/// One node without a manager, on loopback addresses.
fn configuration(folder: &Path, id: &str, store: CephStore, monitor: u16, port: u16) -> String {
    let kind = match store {
        CephStore::Memory => "memstore",
        CephStore::Disk => "bluestore",
    };
    let d = folder.display();
    let mut text = format!("[global]\nfsid = {id}\nmon host = [v2:127.0.0.1:{monitor}/0]\n");
    text.push_str(GLOBAL);
    let _ = write!(
        text,
        "keyring = {d}/keyring\nrun dir = {d}/run\nadmin socket = {d}/run/$cluster-$name.asok\nlog file = {d}/log/$name.log\ncrash dir = {d}/run\n"
    );
    let _ = write!(text, "[mon]\nmon data = {d}/mon\n");
    let _ = write!(text, "[osd]\nosd data = {d}/osd\nkeyring = {d}/osd/keyring\nosd objectstore = {kind}\n");
    text.push_str(OSD);
    let _ = write!(
        text,
        "[client.rgw]\nkeyring = {d}/keyring\nrgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1\nrgw data = {d}/rgw\n"
    );
    text.push_str(GATEWAY);
    text
}

const GLOBAL: &str = "\
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon warn on pool no redundancy = false
mon allow pool size one = true
mon allow pool delete = true
mon max pg per osd = 2000
paxos propose interval = 0.02
paxos min wait = 0.01
mon data avail crit = 0
mon data avail warn = 0
auth allow insecure global id reclaim = false
";

const OSD: &str = "\
memstore device bytes = 2147483648
bluestore block size = 4294967296
bluestore cache size = 67108864
bluestore cache autotune = false
osd memory target = 939524096
osd class load list = *
osd class default list = *
osd max object name len = 1024
osd max object namespace len = 64
";

const GATEWAY: &str = "\
rgw dns name = localhost
rgw enable usage log = false
rgw gc obj min wait = 3600
rgw lc debug interval = -1
";
