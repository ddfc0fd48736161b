//! What adapters of web frameworks share: from a request to its intent, and from there to the one
//! outcome of the call.
//!
//! An adapter implements [`Request`] for the request type of its framework, keeps [`Settings`], and
//! follows three steps. Frameworks disagree about the major version of `http`, so that no type of
//! it stands here: a status is a number, methods are text, header values are bytes.
//!
//! 1. [`Settings::begin`] makes a [`Beginning`]. The handler must not run before that future is
//!    ready; a [`Refused`](crate::Refused) is answered without running it.
//! 2. The [`Recording`] that comes out of it is told what happens: every poll of the handler and of
//!    the response body goes through [`Recording::during`], the head of the response to
//!    [`Recording::head`], and what follows to [`Recording::delivered`], [`Recording::trailers`]
//!    and [`Recording::end`].
//! 3. Where [`Recording::awaits_outcome`] says so, the end of the answer is held back until
//!    [`Recording::poll_ended`] is ready.
//!
//! An adapter that can show bodies sets [`Settings::captures_bodies`], and tells the
//! [`RequestBody`] that [`Recording::request_body`] gives it of every chunk the handler reads.
//!
//! A `Recording` that is dropped before its end writes the outcome of a call that was given up, or
//! of one that panicked. Nothing here blocks, does I/O, or needs a runtime.

mod beginning;
mod bodies;
mod call;
mod describe;
mod dialect;
mod digits;
mod grpc;
mod head;
mod recording;
mod request;
mod request_body;
mod settings;

pub use beginning::Beginning;
pub use dialect::Dialect;
pub use digits::content_length;
pub use grpc::{grpc_timeout, is_grpc};
pub use head::Head;
pub use recording::Recording;
pub use request::Request;
pub use request_body::RequestBody;
pub use settings::Settings;
