use std::sync::Arc;

use super::request_body::Shared;
use super::{Dialect, RequestBody};
use crate::capture::{BodyCapture, BodyFormat, BodyRecorder};
use crate::policy::Level;
use crate::record::Outcome;

/// The bodies of a call, as far as its rule asks for them and its adapter shows them.
#[derive(Debug)]
pub(super) struct Bodies {
    capture: Arc<BodyCapture>,
    format: BodyFormat,
    wants_response: bool,
    request: Option<Arc<Shared>>,
    response: Option<Watched>,
}

/// A response body on its way.
#[derive(Debug)]
struct Watched {
    recorder: BodyRecorder,
    /// Bytes have passed that nobody saw.
    is_blind: bool,
}

impl Bodies {
    pub(super) fn new(capture: Arc<BodyCapture>, dialect: Dialect, level: Level) -> Self {
        let format = match dialect {
            Dialect::Http => BodyFormat::Http,
            Dialect::Grpc => BodyFormat::Grpc,
        };
        Self { capture, format, wants_response: level == Level::RequestResponse, request: None, response: None }
    }

    fn recorder<'h>(&self, header: impl Fn(&str) -> Option<&'h [u8]>) -> BodyRecorder {
        let encoding = match self.format {
            BodyFormat::Http => "content-encoding",
            BodyFormat::Grpc => "grpc-encoding",
        };
        self.capture.recorder(header("content-type"), header(encoding), self.format)
    }

    pub(super) fn watch_request<'h>(
        &mut self,
        announced: Option<u64>,
        header: impl Fn(&str) -> Option<&'h [u8]>,
    ) -> RequestBody {
        let (body, shared) = RequestBody::new(self.recorder(header), announced);
        self.request = Some(shared);
        body
    }

    /// How much the rules ask for that is captured.
    pub(super) const fn level(&self) -> Level {
        if self.wants_response { Level::RequestResponse } else { Level::Request }
    }

    /// Captures what a stricter rule asks for as well, from here on.
    pub(super) fn tighten(&mut self, level: Level) {
        self.wants_response |= level == Level::RequestResponse;
    }

    pub(super) fn watch_response<'h>(&mut self, header: impl Fn(&str) -> Option<&'h [u8]>) {
        if self.wants_response {
            self.response = Some(Watched { recorder: self.recorder(header), is_blind: false });
        }
    }

    pub(super) fn delivered(&mut self, chunk: &[u8]) {
        if let Some(Watched { recorder, is_blind: false }) = &mut self.response {
            recorder.update(chunk);
        }
    }

    pub(super) fn delivered_unseen(&mut self) {
        if let Some(watched) = &mut self.response {
            watched.is_blind = true;
        }
    }

    /// Adds what was captured to the outcome of a call whose response came to its end, or not.
    pub(super) fn add_to(self, mut outcome: Outcome<'_>, response_ended: bool) -> Outcome<'_> {
        if let Some(body) = self.request.and_then(|shared| shared.finish()) {
            if !body.is_unread() {
                outcome = outcome.request_bytes(body.bytes());
            }
            outcome = outcome.request_body(body);
        }
        if let Some(Watched { mut recorder, is_blind }) = self.response {
            if response_ended && !is_blind {
                recorder.end();
            }
            outcome = outcome.response_body(recorder.finish());
        }
        outcome
    }
}
