//! Callers that never stop, and remember what they were told and how long that took.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a caller waits for an answer before it calls that an answer that never came.
const NEVER: Duration = Duration::from_secs(30);

/// How many callers there are.
const CALLERS: usize = 8;

/// Callers at work.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    succeeded: Arc<AtomicU64>,
    callers: Vec<JoinHandle<Answers>>,
}

/// What callers were told.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The resources of calls that were answered with success.
    pub(crate) succeeded: Vec<String>,
    /// How many were refused because they could not be recorded.
    pub(crate) refused: u64,
    /// The longest time that any answer took.
    pub(crate) slowest: Duration,
}

impl Load {
    /// Lets them call `address` until they are stopped.
    pub(crate) fn on(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let succeeded = Arc::new(AtomicU64::new(0));
        let callers = (0..CALLERS).map(|caller| {
            let (stop, succeeded) = (Arc::clone(&stop), Arc::clone(&succeeded));
            thread::spawn(move || call(address, caller, &stop, &succeeded))
        });
        Self { callers: callers.collect(), stop, succeeded }
    }

    /// Waits until so many more calls have succeeded.
    pub(crate) fn until_succeeded(&self, more: u64) {
        let wanted = self.succeeded.load(Ordering::Relaxed) + more;
        let started = Instant::now();
        while self.succeeded.load(Ordering::Relaxed) < wanted {
            assert!(started.elapsed() < Duration::from_secs(90), "calls no longer succeed");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops them.
    pub(crate) fn stop(self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Answers::default();
        for caller in self.callers {
            let answers = caller.join().unwrap();
            all.succeeded.extend(answers.succeeded);
            all.refused += answers.refused;
            all.slowest = all.slowest.max(answers.slowest);
        }
        all
    }
}

fn call(address: SocketAddr, caller: usize, stop: &AtomicBool, succeeded: &AtomicU64) -> Answers {
    let mut answers = Answers::default();
    let mut connection = connect(address);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let resource = format!("/v1/refunds/{caller}-{number}");
        let started = Instant::now();
        let status = post(&mut connection, &resource).expect("the service answers every call");
        answers.slowest = answers.slowest.max(started.elapsed());
        match status {
            201 => {
                answers.succeeded.push(resource);
                succeeded.fetch_add(1, Ordering::Relaxed);
            }
            503 => {
                answers.refused += 1;
                // A caller that is told to come back later does.
                thread::sleep(Duration::from_millis(20));
            }
            other => panic!("the service answers with {other}"),
        }
    }
    answers
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(NEVER)).unwrap();
    BufReader::new(stream)
}

/// One call; its status.
fn post(connection: &mut BufReader<TcpStream>, resource: &str) -> Option<u16> {
    let body = "{\"amount\":1}";
    let request = format!(
        "POST {resource} HTTP/1.1\r\nhost: pay.example\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.get_mut().write_all(request.as_bytes()).ok()?;
    let mut line = String::new();
    connection.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line).ok()?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut rest = vec![0; length];
    connection.read_exact(&mut rest).ok()?;
    Some(status)
}
