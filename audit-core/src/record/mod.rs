//! What one line of the log says: the event, who did it, and how it ended.
//!
//! [`Event`] and [`Outcome`] are built by the adapters from borrowed data and encoded at once
//! into the members that follow `prev` in a line; [`line`](mod@line) framing adds `seq` and `prev`.

mod actor;
mod encode;
mod encode_captured;
mod event;
mod id;
pub(crate) mod json;
mod kind;
mod limits;
pub mod line;
mod outcome;
mod outline;
mod parse;
mod parsed;
mod scan;
pub(crate) mod time;
mod time_reader;
mod value;

pub use actor::{Actor, ActorType, Principal};
pub(crate) use encode::{BodyWriter, EventFrame, OutcomeFrame, encode_event, encode_outcome};
pub use event::{Event, Http, Protocol, Rpc, Source, Span};
pub use id::ActivityId;
pub use kind::Kind;
pub use limits::RecordLimits;
pub use outcome::{Outcome, OutcomeResult};
pub(crate) use parse::{BodyFacts, LineParser, split_frame};
pub use parse::{Frame, ParseError, Record};
pub use parsed::Member;
pub(crate) use time::micros_since_epoch;
pub(crate) use time_reader::time_text;
pub use value::Value;
