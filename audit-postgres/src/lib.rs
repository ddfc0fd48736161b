//! placeholder

mod append;
mod columns;
mod comparison;
mod fault;
mod grants;
mod inspection;
mod open;
mod outbox;
mod postgres;
mod reader;
mod rows;
mod runtime;
mod schema;
mod server;
mod settings;
mod synchronizer;
mod tls;
mod url;
mod uuid;

pub use grants::{Role, grants};
pub use outbox::{Outbox, OutboxEvent, OutboxRelay, RelayError, RelaySettings, RelayStatus};
pub use postgres::Postgres;
pub use reader::{PostgresReader, logs};
pub use schema::{Migration, SCHEMA_VERSION, install, migrations};
pub use tokio_postgres;
pub use url::UrlError;
