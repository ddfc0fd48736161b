//! What each answer of a store means for a batch: surely not written, perhaps, no room, never.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use audit_core::backend::{Backend, BackendError, Head};
use audit_core::conformance::Sample;

use crate::fixture::{Scene, moto, soon};

/// A front of moto that can be told what to answer instead.
struct Front {
    port: u16,
    says: Arc<Mutex<Option<String>>>,
}

impl Front {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let says: Arc<Mutex<Option<String>>> = Arc::default();
        let told = Arc::clone(&says);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                thread::spawn(move || answer(client, &told));
            }
        });
        Self { port, says }
    }

    fn say(&self, answer: Option<String>) {
        *self.says.lock().expect("nobody panicked") = answer;
    }
}

/// One request on one connection: either moto answers it, or we do.
fn answer(mut client: TcpStream, says: &Mutex<Option<String>>) -> std::io::Result<()> {
    let request = read_request(&mut client)?;
    let said = says.lock().expect("nobody panicked").clone();
    match said {
        Some(said) => client.write_all(said.as_bytes())?,
        None => {
            let mut server = TcpStream::connect(("127.0.0.1", moto().port()))?;
            server.write_all(&request)?;
            // moto closes a connection behind each answer.
            std::io::copy(&mut server, &mut client)?;
        }
    }
    client.shutdown(Shutdown::Both)
}

fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut request, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        let head = request.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if request.len() >= head + 4 + length.unwrap_or(0_usize) {
                return Ok(request);
            }
        }
        match client.read(&mut buffer)? {
            0 => return Ok(request),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
}

fn refusal(status: &str, code: &str) -> String {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test wants</Message></Error>");
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn every_answer_is_taken_for_what_it_says() {
    type Meaning = fn(&BackendError) -> bool;
    let unknown: Meaning = |error| matches!(error, BackendError::Unknown { .. });
    let not_written: Meaning = |error| matches!(error, BackendError::Unavailable { .. });
    let full: Meaning = |error| matches!(error, BackendError::Full { .. });
    let fatal: Meaning = |error| matches!(error, BackendError::Misconfigured { .. });
    let cases: [(String, Meaning, &str); 14] = [
        (refusal("500 Internal Server Error", "InternalError"), unknown, "InternalError"),
        (refusal("502 Bad Gateway", ""), unknown, "502"),
        (refusal("503 Service Unavailable", "SlowDown"), not_written, "SlowDown"),
        (refusal("504 Gateway Timeout", ""), unknown, "504"),
        (refusal("507 Insufficient Storage", ""), full, "507"),
        (refusal("403 Forbidden", "QuotaExceeded"), full, "QuotaExceeded"),
        (refusal("403 Forbidden", "AccessDenied"), not_written, "the credentials may not do this"),
        (refusal("403 Forbidden", "RequestTimeTooSkewed"), not_written, "the clock of this machine is wrong"),
        (refusal("400 Bad Request", "ExpiredToken"), not_written, "the session token has expired"),
        (refusal("409 Conflict", "ConditionalRequestConflict"), not_written, "ConditionalRequestConflict"),
        (refusal("404 Not Found", "NoSuchBucket"), fatal, "there is no such bucket"),
        (refusal("301 Moved Permanently", "PermanentRedirect"), fatal, "the region or the endpoint is wrong"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut".to_owned(), unknown, ""),
        ("SMTP ready\r\n".to_owned(), unknown, ""),
    ];
    let front = Front::start();
    let scene = Scene::on_moto().with("endpoint", &format!("http://127.0.0.1:{}", front.port));
    let mut writer = scene.created();
    let mut head = Head::EMPTY;
    for (answer, means, words) in cases {
        let sample = Sample::after(head).lines(2, "there");
        front.say(Some(answer.clone()));
        match writer.append(head, &sample.batch(), soon()) {
            Err(error) if means(&error) => assert!(error.to_string().contains(words), "{words:?} in {error}"),
            other => panic!("{answer:?} was taken for {other:?}"),
        }
        front.say(None);
        writer.append(head, &sample.batch(), soon()).expect("the same batch is taken afterwards");
        head = sample.head();
    }
    assert_eq!(writer.head(soon()).expect("it has a head"), head);
}
