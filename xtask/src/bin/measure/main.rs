//! What `cargo xtask bench` measures inside one process.
//!
//! `measure append N` · `measure body N` · `measure generate DIR N` · `measure open DIR TIMES`
//! · `measure spans DIR N` · `measure json-spans FILE N`
//!
//! With the feature `backends`: `measure replicate DIR URL RATE SECONDS`
//! · `measure requests DIR RATE SECONDS [URL]`

mod append;
mod body;
mod outstanding;
mod record;
#[cfg(feature = "backends")]
mod replicate;
#[cfg(feature = "backends")]
mod requests;
mod spans;
mod store;

use std::error::Error;
use std::path::Path;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["append", records] => append::measure(records.parse()?),
        ["body", bodies] => body::measure(bodies.parse()?),
        ["generate", directory, records] => store::generate(Path::new(directory), records.parse()?),
        ["open", directory, times] => store::open(Path::new(directory), times.parse()?),
        ["spans", directory, calls] => spans::audited(Path::new(directory), calls.parse()?),
        ["json-spans", file, calls] => spans::formatted(Path::new(file), calls.parse()?),
        #[cfg(feature = "backends")]
        ["replicate", directory, url, rate, seconds] => {
            replicate::measure(Path::new(directory), url, rate.parse()?, seconds.parse()?)
        }
        #[cfg(feature = "backends")]
        ["requests", directory, rate, seconds] => {
            requests::measure(Path::new(directory), None, rate.parse()?, seconds.parse()?)
        }
        #[cfg(feature = "backends")]
        ["requests", directory, rate, seconds, url] => {
            requests::measure(Path::new(directory), Some(url), rate.parse()?, seconds.parse()?)
        }
        _ => {
            Err("measure append N | body N | generate DIR N | open DIR TIMES | spans DIR N | json-spans FILE N".into())
        }
    }
}
