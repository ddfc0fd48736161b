//! The log: from an event in a caller's hands to a line that is durable, chained and signed.
//!
//! A caller encodes its record and puts it into a bounded queue. One *sequencer* thread takes
//! all that is queued, frames and hashes each line, and hands the lot to the backend in one
//! append. A second thread, the *synchronizer*, waits for stable storage, grows the tree and
//! signs checkpoints, so that callers who need only `written` never wait for a disk. A third
//! keeps every *deadline*, whatever the other two are stuck in. A fourth, where there is a policy
//! file, looks at that. Each replica has a thread of its own, which fills it from the primary.
//!
//! What may be trusted:
//!
//! * The head moves only after the backend's acknowledgement. After an unknown result the same bytes
//!   are sent again until the store has them; nothing else is appended before.
//! * Nothing is signed that is not synced, or before it has been compared with every replica.
//! * A replica gets only what the primary has on stable storage, and never what does not chain.
//! * A record that was asked for and is not in the log is counted, and the count is written as a
//!   `gap` as soon as the log can be written again.

mod activity;
mod alerts;
mod audit_log;
mod audited;
mod begin;
mod builder;
mod clock;
mod close;
mod comparing;
mod completion;
mod copied;
mod copies;
mod coverage;
mod current;
mod deadlines;
mod demand;
mod error;
mod exclusions;
mod healing;
mod health;
mod inflight;
mod lag;
mod life;
mod losses;
mod open;
mod open_replicas;
mod policy_change;
mod policy_file;
mod queue;
mod receipt;
mod replica;
mod requirements;
mod sequencer;
mod shared;
mod shipping;
mod stamp;
mod stores;
mod submission;
mod synchronizer;
mod tightening;

pub use activity::{Activity, Finish};
pub use audit_log::AuditLog;
pub use audited::{Audited, AuditedError, Describe, audited, audited_blocking};
pub use begin::{Append, Begin};
pub use builder::{Builder, LogLimits};
pub use close::{CheckpointNow, Close, Closed};
pub use coverage::Coverage;
pub use current::{AmendError, CurrentActivity, Entered, Scope};
pub use error::{CloseError, OpenError, Refused};
pub use health::{Health, ReplicaHealth};
pub use policy_change::{ChangePolicyError, PolicyChange};
pub use receipt::Receipt;
pub use replica::Replica;
