use crate::LocationError;
use crate::scheme::Scheme;

/// Whom rights are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// A service that writes a log: appends and reads, never changes, deletes or reconfigures.
    Writer,
    /// Whoever verifies logs: reads.
    Reader,
    /// Whoever sets the store up. Not for services.
    Administrator,
}

/// The least rights that `role` needs for the log at `url`, or for all logs of the fleet under it, ready
/// to apply: a policy in JSON for S3, server configuration for NATS, SQL for PostgreSQL. `options` are
/// as for [`open`](crate::open), and what the store takes for this besides. Contacts no server.
///
/// # Errors
///
/// As [`open`](crate::open); for a directory there are none to name.
pub fn grants(role: Role, url: &str, options: &[(String, String)]) -> Result<String, LocationError> {
    // Which of the two are needed depends on the features.
    let _ = (role, options);
    match Scheme::of(url)? {
        Scheme::File => Err(LocationError::NoGrants),
        #[cfg(feature = "s3")]
        Scheme::S3 => {
            let role = match role {
                Role::Writer => audit_s3::Role::Writer,
                Role::Reader => audit_s3::Role::Reader,
                Role::Administrator => audit_s3::Role::Administrator,
            };
            audit_s3::grants(role, url, options).map_err(LocationError::refused)
        }
        #[cfg(feature = "nats")]
        Scheme::Nats => {
            let role = match role {
                Role::Writer => audit_nats::Role::Writer,
                Role::Reader => audit_nats::Role::Reader,
                Role::Administrator => audit_nats::Role::Administrator,
            };
            audit_nats::grants(role, url, options).map_err(LocationError::refused)
        }
        #[cfg(feature = "postgres")]
        Scheme::Postgres => {
            let role = match role {
                Role::Writer => audit_postgres::Role::Writer,
                Role::Reader => audit_postgres::Role::Reader,
                Role::Administrator => audit_postgres::Role::Administrator,
            };
            audit_postgres::grants(role, url, options).map_err(LocationError::refused)
        }
        #[cfg(not(all(feature = "s3", feature = "nats", feature = "postgres")))]
        other => Err(other.not_built_in()),
    }
}
