//! What one message with a checkpoint says.

use audit_core::evidence::{CompactRange, SignedCheckpoint};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::Stored;

/// The header with the compact range at the size of the checkpoint: 32 bytes a hash, in base64.
pub(crate) const RANGE_HEADER: &str = "Audit-Compact-Range";

/// The value of that header.
pub(crate) fn range_text(range: &CompactRange) -> String {
    STANDARD.encode(range.to_bytes())
}

/// The size that the checkpoint in a message names; `None` if there is no checkpoint in it.
pub(crate) fn size(message: &Stored) -> Option<u64> {
    SignedCheckpoint::parse(&message.bytes).ok().map(|signed| signed.checkpoint().size)
}

/// The compact range that came with the checkpoint, if it has the root that the checkpoint signs.
pub(crate) fn range(message: &Stored) -> Option<CompactRange> {
    let signed = SignedCheckpoint::parse(&message.bytes).ok()?;
    let checkpoint = signed.checkpoint();
    let bytes = STANDARD.decode(message.header(RANGE_HEADER)?).ok()?;
    let range = CompactRange::from_bytes(checkpoint.size, &bytes).ok()?;
    (range.root() == checkpoint.root).then_some(range)
}
