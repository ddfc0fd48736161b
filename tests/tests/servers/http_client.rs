//! HTTP/1.1, just enough for these cases (RFC 9112).

use std::fmt::Write as _;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::call::TOO_LARGE;
use crate::{Call, Secrets};

/// A connection that is kept between calls.
#[derive(Debug)]
pub(crate) struct HttpClient {
    stream: BufReader<TcpStream>,
    /// The parts of the last answer that arrived.
    head: String,
}

impl HttpClient {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), head: String::new() }
    }

    pub(crate) async fn call(&mut self, call: Call) -> Option<i64> {
        self.send(call).await;
        self.answer().await
    }

    pub(crate) async fn send(&mut self, call: Call) {
        let (method, target, body) = request(call);
        let length = body.len();
        self.send_part(method, &target, length, &body).await;
    }

    /// Sends a request whose body may be shorter than it says.
    pub(crate) async fn send_part(&mut self, method: &str, target: &str, length: usize, body: &str) {
        self.send_with(method, target, &Secrets::get().headers(), length, body).await;
    }

    /// Sends a request with those headers.
    pub(crate) async fn send_with(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, String)],
        length: usize,
        body: &str,
    ) {
        let separator = if target.contains('?') { '&' } else { '?' };
        let query = percent_encoded(&Secrets::get().text("query"));
        let mut request = format!("{method} {target}{separator}note={query} HTTP/1.1\r\nhost: pay.example\r\n");
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        if length > 0 {
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request.push_str("content-type: application/json\r\n");
            }
            write!(request, "content-length: {length}\r\n").unwrap();
        }
        request.push_str("\r\n");
        request.push_str(body);
        // A server that refuses a body may have closed the connection before all of it is sent.
        let _ = self.stream.get_mut().write_all(request.as_bytes()).await;
    }

    /// Reads one answer to its end.
    pub(crate) async fn answer(&mut self) -> Option<i64> {
        self.read_answer(true).await
    }

    /// Reads an answer that has no body whatever it announces: that to HEAD.
    pub(crate) async fn answer_to_head(&mut self) -> Option<i64> {
        self.read_answer(false).await
    }

    async fn read_answer(&mut self, has_body: bool) -> Option<i64> {
        let (status, length) = self.read_head().await?;
        match length {
            _ if !has_body => {}
            Length::Exactly(length) => {
                let mut body = vec![0; length];
                self.stream.read_exact(&mut body).await.ok()?;
            }
            Length::Chunks => while self.read_chunk().await? > 0 {},
        }
        Some(status)
    }

    pub(crate) async fn read_first_chunk(&mut self) {
        self.read_head().await.unwrap();
        assert!(self.read_chunk().await.unwrap() > 0);
    }

    async fn read_head(&mut self) -> Option<(i64, Length)> {
        self.head = self.line().await?;
        let status = self.head.split(' ').nth(1)?.parse().ok()?;
        let mut length = Length::Exactly(0);
        loop {
            let line = self.line().await?.to_lowercase();
            if line.is_empty() {
                return Some((status, length));
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = Length::Exactly(value.trim().parse().ok()?);
            } else if line.starts_with("transfer-encoding:") {
                length = Length::Chunks;
            }
        }
    }

    /// How long the next chunk is, which is then read (RFC 9112 §7.1).
    async fn read_chunk(&mut self) -> Option<usize> {
        let size = usize::from_str_radix(&self.line().await?, 16).ok()?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).await.ok()?;
        Some(size)
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await.ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }
}

/// How long a body is.
#[derive(Clone, Copy, Debug)]
enum Length {
    Exactly(usize),
    Chunks,
}

/// Method, target and body of a call.
fn request(call: Call) -> (&'static str, String, String) {
    let secrets = Secrets::get();
    let get = |target: &str| ("GET", target.to_owned(), String::new());
    match call {
        Call::Refund(id) => ("POST", format!("/v1/refunds/{id}"), secrets.details()),
        Call::Malformed => ("POST", "/v1/refunds/1".to_owned(), format!("{{{}", secrets.text("body"))),
        Call::TooLarge => ("POST", "/v1/refunds/1".to_owned(), " ".repeat(TOO_LARGE) + &secrets.details()),
        Call::Count => get("/v1/refunds"),
        Call::Slow { ms } => get(&format!("/v1/slow?ms={ms}")),
        Call::Stream { chunks } => get(&format!("/v1/stream?chunks={chunks}")),
        Call::Fail => get(&format!("/v1/fail?message={}", percent_encoded(&secrets.text("failure message")))),
        Call::Panic => get(&format!("/v1/panic?message={}", percent_encoded(&secrets.text("panic message")))),
        Call::Denied => get("/v1/denied"),
        Call::Unauthenticated => get("/v1/unauthenticated"),
        Call::Unknown => get("/nowhere"),
        Call::NotAllowed => ("DELETE", "/v1/refunds".to_owned(), String::new()),
        Call::Probe => get("/healthz"),
    }
}

fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}
