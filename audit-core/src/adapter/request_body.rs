use std::sync::{Arc, Mutex, PoisonError};

use crate::capture::{BodyRecorder, CapturedBody};

/// The request body of a call under a rule that asks for it, as it is read by the handler.
///
/// Told of every chunk that passes. May outlive the call: what comes after the call's outcome is
/// not recorded, and the body counts as unread.
#[derive(Debug)]
pub struct RequestBody {
    shared: Arc<Shared>,
    /// What is left of the length that the caller announced.
    left: Option<u64>,
    /// Bytes have passed that nobody saw.
    is_blind: bool,
}

/// Where a call finds what its request body has told.
#[derive(Debug)]
pub(super) struct Shared(Mutex<Option<BodyRecorder>>);

impl RequestBody {
    pub(super) fn new(recorder: BodyRecorder, announced: Option<u64>) -> (Self, Arc<Shared>) {
        let shared = Arc::new(Shared(Mutex::new(Some(recorder))));
        let mut body = Self { shared: Arc::clone(&shared), left: announced, is_blind: false };
        if announced == Some(0) {
            body.end();
        }
        (body, shared)
    }

    /// Hashes bytes that are handed on, under a lock that nobody else holds for longer than this
    /// takes. When they complete the announced length, the body has ended.
    pub fn passed(&mut self, chunk: &[u8]) {
        self.left = self.left.map(|left| left.saturating_sub(chunk.len() as u64));
        let is_end = self.left == Some(0);
        self.with(|recorder| {
            recorder.update(chunk);
            if is_end {
                recorder.end();
            }
        });
    }

    /// Says that bytes were handed on of which nothing can be seen. The digest stops before them,
    /// and the body counts as unread.
    pub fn passed_unseen(&mut self) {
        self.is_blind = true;
    }

    /// The whole body has been handed on.
    pub fn end(&mut self) {
        self.with(BodyRecorder::end);
    }

    fn with(&self, tell: impl FnOnce(&mut BodyRecorder)) {
        if self.is_blind {
            return;
        }
        let mut recorder = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(recorder) = &mut *recorder {
            tell(recorder);
        }
    }
}

impl Shared {
    /// What has been read by now. Nothing more is taken afterwards.
    pub(super) fn finish(&self) -> Option<CapturedBody> {
        let recorder = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        recorder.map(BodyRecorder::finish)
    }
}
