//! The payments service on Actix Web with the ordinary log that such services have today:
//! `middleware::Logger`, written as lines of text by an appender that loses nothing while the
//! process lives.
//!
//! One line a request, with the facts that the audit log has too: when, who, what, from where, how
//! it ended, how long it took and how much was sent.

use std::fs::OpenOptions;
use std::process::ExitCode;

use actix_web::App;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Logger;
use actix_web::rt::System;
use base64ct::{Base64UrlUnpadded, Encoding};
use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, actix_routes, actix_server};
use serde::Deserialize;
use tracing::Level;
use tracing_appender::non_blocking::NonBlockingBuilder;

fn main() -> ExitCode {
    examples::end(run())
}

fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let file = OpenOptions::new().create(true).append(true).open(options.place()?)?;
    let (writer, _flushes_when_dropped) = NonBlockingBuilder::default().lossy(false).finish(file);
    // Takes what the `log` crate is told, too, which is what `Logger` writes to.
    tracing_subscriber::fmt().with_ansi(false).with_max_level(Level::INFO).with_writer(writer).init();

    let payments = Payments::new();
    let app = move || {
        let logger = Logger::new(FACTS).custom_request_replace("ACTOR", actor);
        App::new().wrap(logger).configure(|app| actix_routes::payments(app, payments.clone()))
    };
    System::new().block_on(actix_server::until_stopped(app, options.listen))
}

/// Who calls: what a bearer token says of its subject.
fn actor(request: &ServiceRequest) -> String {
    let said = || {
        let token = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let claims = Base64UrlUnpadded::decode_vec(token.split('.').nth(1)?).ok()?;
        Some(serde_json::from_slice::<Claims>(&claims).ok()?.sub)
    };
    said().unwrap_or_else(|| "-".to_owned())
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

const FACTS: &str = r#"%a "%{ACTOR}xi" "%r" %s %b %D "%{Host}i" "%{User-Agent}i""#;
