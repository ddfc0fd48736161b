//! `audit keygen`

use audit_core::Key;

use crate::ending::{Ending, Failure};
use crate::{arguments, output};

pub(crate) fn run(arguments: &arguments::Keygen, json: bool) -> Result<Ending, Failure> {
    let key = Key::generate(&arguments.origin)?;
    let path = &arguments.out;
    key.write_new_file(path)?;
    let vkey = key.verifier().to_string();
    if json {
        output::json(&serde_json::json!({ "file": path.display().to_string(), "vkey": vkey }))?;
    } else {
        eprintln!("audit: private key in {}; keep the verifier key below where the log is not", path.display());
        output::line(vkey)?;
    }
    Ok(Ending::AsItShouldBe)
}
