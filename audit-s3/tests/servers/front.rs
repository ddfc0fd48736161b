//! A front of moto that answers in its place, or changes what is asked.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::fixture::{Scene, moto};

/// What happens to requests with a word in their head.
#[derive(Clone)]
enum Rule {
    Answer(String),
    Replace(&'static str),
}

/// A server that passes on to moto what no rule is about.
pub(crate) struct Front {
    port: u16,
    rules: Arc<Mutex<Vec<(String, Rule)>>>,
}

impl Front {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let rules: Arc<Mutex<Vec<(String, Rule)>>> = Arc::default();
        let told = Arc::clone(&rules);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                thread::spawn(move || answer(client, &told));
            }
        });
        Self { port, rules }
    }

    /// The scene as it is seen through this front.
    pub(crate) fn before(&self, scene: Scene) -> Scene {
        scene.with("endpoint", &format!("http://127.0.0.1:{}", self.port))
    }

    /// Answers all requests.
    pub(crate) fn say(&self, answer: &str) {
        self.say_to("", answer);
    }

    /// Answers requests with `word` in their head.
    pub(crate) fn say_to(&self, word: &str, answer: &str) {
        self.add(word, Rule::Answer(answer.to_owned()));
    }

    /// Puts another word, of the same length, in place of `word`.
    pub(crate) fn replace(&self, word: &str, other: &'static str) {
        assert_eq!(word.len(), other.len());
        self.add(word, Rule::Replace(other));
    }

    /// Passes on everything.
    pub(crate) fn pass(&self) {
        self.rules.lock().expect("nobody panicked").clear();
    }

    fn add(&self, word: &str, rule: Rule) {
        self.rules.lock().expect("nobody panicked").push((word.to_owned(), rule));
    }
}

/// The answer of a store that refuses.
pub(crate) fn refusal(status: &str, code: &str) -> String {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>for a test</Message></Error>");
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// One request on one connection: either moto answers it, or we do.
fn answer(mut client: TcpStream, rules: &Mutex<Vec<(String, Rule)>>) -> std::io::Result<()> {
    let (mut request, head) = read_request(&mut client)?;
    let rules = rules.lock().expect("nobody panicked").clone();
    for (word, rule) in rules {
        let text = String::from_utf8_lossy(&request[..head]).into_owned();
        match rule {
            Rule::Answer(answer) if text.contains(&word) => {
                client.write_all(answer.as_bytes())?;
                return client.shutdown(Shutdown::Both);
            }
            Rule::Replace(other) => request[..head].copy_from_slice(text.replace(&word, other).as_bytes()),
            Rule::Answer(_) => {}
        }
    }
    let mut server = TcpStream::connect(("127.0.0.1", moto().port()))?;
    server.write_all(&request)?;
    // moto closes a connection behind each answer.
    std::io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}

/// A whole request, and how long its head is.
fn read_request(client: &mut TcpStream) -> std::io::Result<(Vec<u8>, usize)> {
    let (mut request, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        if let Some(head) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if request.len() >= head + 4 + length.unwrap_or(0_usize) {
                return Ok((request, head));
            }
        }
        match client.read(&mut buffer)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
}
