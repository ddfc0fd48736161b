//! The payments service on axum, every call recorded before its handler runs.

use std::process::ExitCode;

use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, log, router, serve};

fn main() -> ExitCode {
    examples::end(run())
}

fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let log = log::open(&options)?;
    let payments =
        if options.count_handled { Payments::counting_in(&log::handled(options.log()?))? } else { Payments::new() };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let served = serve::until_stopped(router::audited(payments, &log), options.listen).await;
        log::close(&log).await?;
        served
    })
}
