use std::collections::BTreeSet;
use std::time::Instant;

use audit_core::verify::ReadError;

use crate::api::Deleted;
use crate::log_name::LogName;
use crate::reader::connect;
use crate::subjects::{below, log_of};
use crate::target::Target;

/// The URLs of all logs below `url`: of a whole stream, `nats://HOST/STREAM`, or of a fleet in it,
/// `nats://HOST/STREAM/payments`. The URL of one log gives that one. Blocks as long as the server
/// takes, at most for `read_timeout`.
///
/// # Errors
///
/// [`ReadError::NotALog`] when the URL or an option is wrong or there is no such stream,
/// [`ReadError::Unavailable`] when no server answers.
pub fn logs(url: &str, options: &[(String, String)]) -> Result<Vec<String>, ReadError> {
    const LISTING: &str = "listing the logs of the stream";
    let target = Target::parse(url, options).map_err(|error| ReadError::NotALog { detail: error.to_string() })?;
    let link = connect(&target)?;
    let filter = format!("{}.>", below(&target.subject_prefix, &target.log));
    let deadline = Instant::now() + target.read_timeout;
    let info = link.runtime.block_on(link.stream_info(Deleted::Counted, Some(&filter), deadline));
    let info =
        info.map_err(|error| ReadError::unavailable(LISTING, error))?.map_err(|trouble| trouble.verifying(LISTING))?;
    let Some(info) = info else {
        return Err(ReadError::NotALog { detail: format!("{}: there is no such stream", target.place()) });
    };
    let names = info.state.subjects.keys().filter_map(|subject| log_of(&target.subject_prefix, subject));
    let names: BTreeSet<LogName> = names.collect();
    Ok(names.iter().map(|name| target.url_of(name)).collect())
}
