//! PostgreSQL as a store of the audit log: append-only rows behind one function, and an outbox.
//!
//! [`Postgres`] keeps a log in a table to which one function appends. It compares the head of the log and
//! advances it in the transaction that inserts the lines, so that a second writer is kept out by the
//! server, and a returned append is a commit on the server's disk.
//! [`PostgresReader`] reads it for a verifier, with the rights of a reader.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use audit_core::verify::Verifier;
//! use audit_core::{AuditLog, Event, Key};
//! use audit_postgres::{Postgres, PostgresReader};
//!
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "postgres://payments@db.example/audit/payments/prod-1";
//! let options = [("password_file".to_owned(), "/run/secrets/audit-db".to_owned())];
//!
//! // Blocks on the server: open a log before serving.
//! let log = AuditLog::builder("payments.example.com/prod-1")
//!     .key(Key::from_file("audit.key")?)
//!     .backend(Postgres::from_url(url, &options)?)
//!     .open()?;
//!
//! log.record(&Event::action("ledger.rotate").resource("ledger/7")).await?; // committed
//! log.close(Duration::from_secs(10)).await?;
//!
//! // Elsewhere, on a thread of its own:
//! let verdict = std::thread::spawn(|| {
//!     let url = "postgres://auditor@db.example/audit/payments/prod-1?password_env=AUDITOR_PASSWORD";
//!     PostgresReader::from_url(url, &[]).map(|reader| Verifier::new().run(&reader))
//! });
//! println!("{}", verdict.join().expect("a verifier does not panic")?.judgement());
//! # Ok(()) }
//! ```
//!
//! Before the first log, an administrator applies what [`grants`] gives for [`Role::Administrator`], or
//! calls [`install`]; then what it gives for [`Role::Writer`] and [`Role::Reader`], once for each user.
//! Opening refuses a role that could do more than append and read, a server that could lose what it has
//! acknowledged, and tables, triggers or functions that are not as they were installed. The same is
//! looked at again while the log runs.
//!
//! Every statement is a transaction of its own and has no name: poolers in transaction mode are fine.
//!
//! # An outbox
//!
//! For a business change and its record in one fate. The event is put into a table in the transaction of
//! the change, and leaves it in the transaction that appends its line. A roll-back leaves nothing.
//!
//! ```no_run
//! use audit_core::{Actor, AuditLog};
//! use audit_postgres::tokio_postgres::Client;
//! use audit_postgres::{Outbox, OutboxEvent, OutboxRelay, RelaySettings};
//!
//! # const URL: &str = "postgres://payments@db.example/audit/payments/prod-1";
//! async fn refund(client: &mut Client, outbox: &Outbox) -> Result<(), Box<dyn std::error::Error>> {
//!     let transaction = client.transaction().await?;
//!     transaction.execute("UPDATE payments SET refunded = true WHERE id = $1", &[&42_i64]).await?;
//!     let event = OutboxEvent::action("refund.approve").resource("payments/42").actor(&Actor::user("ada"));
//!     outbox.put(&transaction, &event).await?;
//!     transaction.commit().await?; // both, or neither
//!     Ok(())
//! }
//!
//! # async fn run(log: AuditLog) -> Result<(), Box<dyn std::error::Error>> {
//! let options = [("password_file".to_owned(), "/run/secrets/audit-db".to_owned())];
//! let outbox = Outbox::from_url(URL, &options)?;
//! // Beside the open log, for as long as it is open.
//! let relay = OutboxRelay::start(&log, URL, &options, RelaySettings::default()).await?;
//! # let _ = (outbox, relay);
//! # Ok(()) }
//! ```
//!
//! # What it does not protect against
//!
//! The owner of the tables and a superuser can take the triggers away and change rows. The chain and a
//! checkpoint that is kept elsewhere show it; the database alone cannot.

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
/// The driver whose transactions [`Outbox::put`] takes.
pub use tokio_postgres;
pub use url::UrlError;
