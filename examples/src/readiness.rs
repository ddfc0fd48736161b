//! Whether the service can do its work: it can when it can record.

use audit_core::AuditLog;

/// Why the service is not ready, if it is not.
#[must_use]
pub fn reason_against(log: &AuditLog) -> Option<String> {
    let health = log.health();
    if health.writable {
        return None;
    }
    Some(health.last_error.unwrap_or_else(|| "closed".to_owned()))
}
