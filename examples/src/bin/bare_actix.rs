//! The payments service on Actix Web without any log: what the benchmark compares with.

use std::process::ExitCode;

use actix_web::App;
use actix_web::rt::System;
use examples::options::Options;
use examples::payments::Payments;
use examples::{Failure, actix_routes, actix_server};

fn main() -> ExitCode {
    examples::end(run())
}

fn run() -> Result<(), Failure> {
    let options = Options::from_arguments()?;
    let payments = Payments::new();
    let app = move || App::new().configure(|app| actix_routes::payments(app, payments.clone()));
    System::new().block_on(actix_server::until_stopped(app, options.listen))
}
