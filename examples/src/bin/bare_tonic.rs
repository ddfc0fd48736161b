//! The payments service on tonic without any log: what the benchmark compares with.

use std::process::ExitCode;

use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, tonic_server};

#[tokio::main]
async fn main() -> ExitCode {
    examples::end(run().await)
}

async fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    tonic_server::bare(Payments::new(), options.listen).await
}
