//! What a caller may ask for at most, whatever framework serves it.

use std::time::Duration;

/// How long a slow call may take.
pub const SLOW: Duration = Duration::from_secs(10 * 60);

/// How many bytes a request body, or a gRPC message, may have: 64 KiB.
pub const BODY_BYTES: usize = 64 << 10;
