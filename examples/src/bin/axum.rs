//! The payments service on axum, every call recorded before its handler runs.

use std::process::ExitCode;

use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, axum_router, axum_server, log};

fn main() -> ExitCode {
    examples::end(run())
}

fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let log = log::open(&options)?;
    let payments = Payments::of(&options)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let served = axum_server::until_stopped(axum_router::audited(payments, &log), options.listen).await;
        log::close(&log).await?;
        served
    })
}
