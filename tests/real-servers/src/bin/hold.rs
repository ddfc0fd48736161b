//! Starts the program that it is given as a server, says its process id, and does nothing more until
//! somebody ends it: the test that is killed, for the tests of this crate.

use std::path::Path;
use std::time::Duration;

use real_servers::{Failure, Process};

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let log = arguments.next().ok_or("hold LOG PROGRAM [ARGUMENT...]")?;
    let program = arguments.next().ok_or("hold LOG PROGRAM [ARGUMENT...]")?;
    let arguments: Vec<String> = arguments.collect();
    let server = Process::start(Path::new(&program), &arguments, &[], Path::new(&log))?;
    println!("{}", server.id());
    loop {
        std::thread::sleep(Duration::from_secs(3_600));
    }
}
