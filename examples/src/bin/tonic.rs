//! The payments service on tonic, every call recorded before its handler runs.

use std::process::ExitCode;

use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, log, tonic_server};

fn main() -> ExitCode {
    examples::end(run())
}

fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let log = log::open(&options)?;
    let payments = Payments::of(&options)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let served = tonic_server::audited(payments, &log, options.listen).await;
        log::close(&log).await?;
        served
    })
}
