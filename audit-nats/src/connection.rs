use std::io;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, HeaderMap, Message, Request, RequestErrorKind};
use bytes::Bytes;
use tokio::time::{sleep, timeout_at};

use crate::target::Target;
use crate::tls;
use crate::told::{NoAnswer, Told};
use crate::trouble::Trouble;

/// The longest time that one attempt to connect to one server may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// How often a silent server is asked whether it is there; the second silence ends the connection.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// The first and the longest pause between two attempts to connect again.
const RECONNECT_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(1_000));

/// The pause before a question that may be asked again is asked again.
const ASK_PAUSE: Duration = Duration::from_millis(50);

/// A connection that comes back by itself, and what is told on it.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    client: Client,
    told: Told,
    ack_timeout: Duration,
}

impl Connection {
    /// Connects to one of the servers.
    ///
    /// # Errors
    ///
    /// [`Trouble::Setup`] when the credentials, the certificate or a file cannot be used, else
    /// [`Trouble::NotConnected`].
    pub(crate) async fn open(target: &Target, inbox: &str, deadline: Instant) -> Result<Self, Trouble> {
        let told = Told::new();
        let options = options(target, inbox, &told, deadline).map_err(Trouble::Setup)?;
        let scheme = if target.tls { "tls" } else { "nats" };
        let servers = target.servers.iter().map(|server| format!("{scheme}://{server}").parse());
        let servers = servers
            .collect::<Result<Vec<async_nats::ServerAddr>, _>>()
            .map_err(|error: io::Error| Trouble::Setup(error.to_string()))?;
        match timeout_at(deadline.into(), options.connect(servers)).await {
            Ok(Ok(client)) => Ok(Self { client, told, ack_timeout: target.ack_timeout }),
            Ok(Err(error)) => Err(refused(target, &error)),
            Err(_) => Err(Trouble::NotConnected(format!("{} did not answer in time", target.servers.join(",")))),
        }
    }

    /// The most bytes that the server takes in one message, headers included.
    pub(crate) fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// The version of the server, as far as it has numbers: 2.10.4.
    pub(crate) fn server_version(&self) -> String {
        self.client.server_info().version
    }

    /// Whether the server is at least this version.
    pub(crate) fn is_server_at_least(&self, major: i64, minor: i64) -> bool {
        self.client.is_server_compatible(major, minor, 0)
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    ///
    /// After [`Trouble::Lost`] and [`Trouble::Deaf`] nobody knows whether the request arrived; after any
    /// other, it has had no effect.
    pub(crate) async fn ask(
        &self,
        subject: &str,
        headers: Option<HeaderMap>,
        payload: Bytes,
        deadline: Instant,
    ) -> Result<Message, Trouble> {
        self.connected(deadline).await?;
        let mut listener = self.told.listen();
        let mut request = Request::new().payload(payload).timeout(None);
        if let Some(headers) = headers {
            request = request.headers(headers);
        }
        let answer = self.client.send_request(subject.to_owned(), request);
        let until = tokio::time::Instant::from_std(deadline);
        tokio::select! {
            biased;
            answer = answer => answer.map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => Trouble::NobodyThere(subject.to_owned()),
                RequestErrorKind::MaxPayloadExceeded | RequestErrorKind::InvalidSubject => {
                    Trouble::Setup(error.to_string())
                }
                RequestErrorKind::TimedOut | RequestErrorKind::Other => Trouble::Lost(error.to_string()),
            }),
            none = listener.no_answer(subject) => Err(match none {
                NoAnswer::Forbidden(said) => Trouble::Forbidden(said),
                NoAnswer::Deaf(said) => Trouble::Deaf(said),
                NoAnswer::Disconnected => Trouble::Lost("the connection was lost".into()),
            }),
            () = tokio::time::sleep_until(until) => Err(Trouble::Lost(format!("no answer on {subject} in time"))),
        }
    }

    /// Asks what changes nothing, again and again until there is an answer.
    ///
    /// # Errors
    ///
    /// As [`ask`](Self::ask), when asking again does not help or the deadline has passed.
    pub(crate) async fn ask_again(&self, subject: &str, payload: Bytes, deadline: Instant) -> Result<Message, Trouble> {
        loop {
            let attempt = deadline.min(Instant::now() + self.ack_timeout);
            let trouble = match self.ask(subject, None, payload.clone(), attempt).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            if !trouble.may_pass() || Instant::now() + ASK_PAUSE >= deadline {
                return Err(trouble);
            }
            sleep(ASK_PAUSE).await;
        }
    }

    /// Waits until there is a connection, so that nothing is kept back and sent much later.
    async fn connected(&self, deadline: Instant) -> Result<(), Trouble> {
        while self.client.connection_state() != State::Connected {
            if Instant::now() + ASK_PAUSE >= deadline {
                let said = self.told.complaint().unwrap_or_else(|| "no server can be reached".into());
                return Err(Trouble::NotConnected(said));
            }
            sleep(ASK_PAUSE).await;
        }
        if Instant::now() >= deadline {
            return Err(Trouble::NotConnected("the deadline has passed".into()));
        }
        Ok(())
    }
}

fn options(target: &Target, inbox: &str, told: &Told, deadline: Instant) -> Result<ConnectOptions, String> {
    let hearing = told.clone();
    let patience = deadline.saturating_duration_since(Instant::now()).min(CONNECT_PATIENCE);
    let mut options = ConnectOptions::new()
        .name("audit-nats")
        .custom_inbox_prefix(inbox)
        .no_echo()
        .request_timeout(None)
        .connection_timeout(patience)
        .ping_interval(PING_INTERVAL)
        .reconnect_delay_callback(pause)
        .event_callback(move |event| {
            hearing.hear(event);
            async {}
        });
    if target.tls {
        options = options.require_tls(true);
    }
    // Servers may ask for TLS by themselves, whatever the URL says.
    options = options.tls_client_config(tls::configuration(target)?);
    target.credentials.add_to(options)
}

/// Longer from attempt to attempt, and not the same for everybody whose server is gone.
fn pause(attempt: usize) -> Duration {
    if attempt <= 1 {
        return Duration::ZERO;
    }
    let doublings = u32::try_from(attempt - 2).unwrap_or(u32::MAX).min(10);
    let pause = RECONNECT_PAUSE.0.saturating_mul(1 << doublings).min(RECONNECT_PAUSE.1);
    pause + pause.mul_f64(f64::from(std::process::id() % 64) / 256.0)
}

/// What an attempt to connect failed with, by who has to do something about it.
fn refused(target: &Target, error: &async_nats::ConnectError) -> Trouble {
    let servers = target.servers.join(",");
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_said = cause.to_string();
        if !said.contains(&cause_said) {
            said = format!("{said}: {cause_said}");
        }
        source = cause.source();
    }
    let lower = said.to_ascii_lowercase();
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            Trouble::Setup(format!("{servers} does not accept the credentials: {said}"))
        }
        ConnectErrorKind::Tls => Trouble::Setup(format!("no TLS with {servers}: {said}")),
        _ if lower.contains("certificate") => Trouble::Setup(format!(
            "the certificate of {servers} or ours cannot be used, renew it or name its authority with `ca_file`: {said}"
        )),
        _ => Trouble::NotConnected(format!("cannot connect to {servers}: {said}")),
    }
}
