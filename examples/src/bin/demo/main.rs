//! `cargo demo`: the whole story on a temporary log.
//!
//! Three service accounts and a stranger call the payments service over HTTP. Then their records are
//! shown, verified, one of them is proved, and copies of the log are tampered with in every way
//! that comes to mind. Ends with 0 only if every step came out as it should.

mod callers;
mod copy;
mod evidence;
mod service;
mod table;
mod tampering;

use std::process::ExitCode;

use examples::Failure;

use evidence::Evidence;
use service::Service;

fn main() -> ExitCode {
    examples::end(story())
}

fn story() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let directory = folder.path().join("audit");

    heading("A payments service starts, with its audit log in a temporary folder");
    let service = Service::start(&directory)?;
    println!("listening on http://{}", service.address());

    heading("Three service accounts and a stranger call it");
    callers::morning(&service)?;
    // Somebody keeps the checkpoint of this moment elsewhere, as auditors do.
    let early = service.checkpoint()?;
    callers::afternoon(&service)?;
    let closed = service.stop()?;
    println!("SIGTERM: calls in flight end, the log is closed with {closed} records");

    heading("What the log says");
    let evidence = Evidence::of(&directory)?;
    table::print(&evidence)?;

    heading("Is it as it was written?");
    evidence.verify()?;

    heading("One record is proved to somebody who may not see the others");
    evidence.prove_one(&folder.path().join("refund.proof"))?;

    heading("Now somebody tampers with copies of it");
    let failed = tampering::try_all(&evidence, &early, folder.path())?;
    if failed > 0 {
        return Err(format!("{failed} attempts were not found as they should be").into());
    }
    println!("\nEvery attempt came out as it should.");
    Ok(())
}

fn heading(text: &str) {
    println!("\n── {text}\n");
}
