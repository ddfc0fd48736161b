//! The payments service on Actix Web, every call recorded before its handler runs.

use std::process::ExitCode;

use actix_web::App;
use actix_web::rt::System;
use audit_actix::Audit;
use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, actix_routes, actix_server, log};

fn main() -> ExitCode {
    examples::end(run())
}

fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    // Here and not in the factory below: that one runs once for each worker, and a log has one writer.
    let log = log::open(&options)?;
    let payments = Payments::of(&options)?;
    let audit = Audit::new(log.clone());
    System::new().block_on(async {
        let asked = log.clone();
        let app = move || {
            App::new()
                .wrap(audit.clone())
                .configure(|app| actix_routes::payments(app, payments.clone()))
                .configure(|app| actix_routes::ready(app, asked.clone()))
        };
        let served = actix_server::until_stopped(app, options.listen).await;
        log::close(&log).await?;
        served
    })
}
