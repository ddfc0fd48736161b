//! The payments service on axum without any log: what the benchmark compares with.

use std::process::ExitCode;

use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, axum_router, axum_server};

#[tokio::main]
async fn main() -> ExitCode {
    examples::end(run().await)
}

async fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let app = axum_router::payments(Payments::new());
    axum_server::until_stopped(app, options.listen).await
}
