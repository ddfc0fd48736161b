//! The payments service on axum with the ordinary log that services have today: `TraceLayer`, JSON
//! lines, and a `tracing-appender` that loses nothing while the process lives.
//!
//! Two lines a request, one before the handler and one after it, as the audit log writes them.

use std::fs::OpenOptions;
use std::process::ExitCode;

use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, axum_router, axum_server};
use tower_http::trace::{DefaultMakeSpan, DefaultOnRequest, DefaultOnResponse, TraceLayer};
use tracing::Level;
use tracing_appender::non_blocking::NonBlockingBuilder;

#[tokio::main]
async fn main() -> ExitCode {
    examples::end(run().await)
}

async fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let file = OpenOptions::new().create(true).append(true).open(options.place()?)?;
    let (writer, _flushes_when_dropped) = NonBlockingBuilder::default().lossy(false).finish(file);
    tracing_subscriber::fmt().json().with_max_level(Level::INFO).with_writer(writer).init();

    let app = axum_router::payments(Payments::new()).layer(
        TraceLayer::new_for_http()
            .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
            .on_request(DefaultOnRequest::new().level(Level::INFO))
            .on_response(DefaultOnResponse::new().level(Level::INFO)),
    );
    axum_server::until_stopped(app, options.listen).await
}
