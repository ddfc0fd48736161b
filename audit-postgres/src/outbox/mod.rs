//! For a business change and its record in one fate: events that are committed with the caller's own
//! rows, and put into the log once they are.
//!
//! [`Outbox::put`] writes an event into a table, in the caller's transaction. A roll-back leaves
//! nothing. An [`OutboxRelay`] reads what was committed and records it; the transaction that appends
//! its line to the log removes it from the table. So an event is in the log once or still in the
//! outbox, whatever crashes in between.
//!
//! That works only where this PostgreSQL is the log's primary, and the relay refuses other logs.

mod doubts;
mod event;
mod join;
mod put;
mod registry;
mod relay;
mod round;
mod start;

pub use event::OutboxEvent;
pub use put::Outbox;
pub use relay::{OutboxRelay, RelaySettings, RelayStatus};
pub use start::RelayError;
