//! The payments service on axum without any log: what the benchmark compares with.

use std::process::ExitCode;

use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, router, serve};

#[tokio::main]
async fn main() -> ExitCode {
    examples::end(run().await)
}

async fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let app = router::payments(Payments::new());
    serve::until_stopped(app, options.listen).await
}
