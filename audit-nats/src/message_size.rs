use audit_core::backend::BackendError;
use audit_core::record::line::LINE_LIMIT;

use crate::link::Link;
use crate::stream_info::StreamInfo;

/// Room for the headers of a message: ours take less than 300 bytes, that of a checkpoint with its
/// compact range less than 4 KiB.
pub(crate) const HEADER_ROOM: usize = 4 << 10;

/// The most bytes of lines in one message, whatever the server takes: larger ones are not faster,
/// and whoever reads has to hold several of them.
const MOST: usize = 512 << 10;

/// The most bytes of lines in one message to this stream.
///
/// # Errors
///
/// When it has no room for the longest line.
pub(crate) fn limit(link: &Link, info: &StreamInfo) -> Result<usize, BackendError> {
    let payload = link.connection.max_payload();
    let stream = usize::try_from(info.number("max_msg_size")).ok().filter(|limit| *limit > 0);
    let room = payload.min(stream.unwrap_or(usize::MAX)).saturating_sub(HEADER_ROOM);
    if room < LINE_LIMIT + 1 {
        return Err(BackendError::Misconfigured {
            detail: format!(
                "{}: `max_payload` of the server is {payload} bytes, a line may need {}: raise it",
                link.target.place(),
                LINE_LIMIT + 1 + HEADER_ROOM
            ),
        });
    }
    Ok(room.min(MOST))
}
