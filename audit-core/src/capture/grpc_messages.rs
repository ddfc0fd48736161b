use sha2::{Digest, Sha256};

use super::CapturedMessage;
use crate::evidence::Hash;

/// The bytes in front of each message: a flag and a length (gRPC over HTTP/2).
const HEADER: usize = 5;

/// Tells the messages of a gRPC stream apart, wherever its chunks are cut.
#[derive(Debug)]
pub(super) struct GrpcMessages {
    kept: Vec<CapturedMessage>,
    limit: usize,
    count: u64,
    header: [u8; HEADER],
    header_length: usize,
    /// The message whose payload is passing.
    current: Option<Current>,
    malformed: bool,
}

#[derive(Debug)]
struct Current {
    bytes: u32,
    left: u32,
    compressed: bool,
    /// Of the first messages only.
    digest: Option<Sha256>,
    /// A frame of trailers (gRPC-Web), which is no message.
    trailers: bool,
}

impl GrpcMessages {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            kept: Vec::new(),
            limit,
            count: 0,
            header: [0; HEADER],
            header_length: 0,
            current: None,
            malformed: false,
        }
    }

    pub(super) fn update(&mut self, mut chunk: &[u8]) {
        while !self.malformed {
            chunk = match &mut self.current {
                Some(current) => {
                    let rest = current.take(chunk);
                    if current.left > 0 {
                        return;
                    }
                    self.end_message();
                    rest
                }
                None if chunk.is_empty() => return,
                None => self.read_header(chunk),
            };
        }
    }

    fn read_header<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let (head, rest) = chunk.split_at(chunk.len().min(HEADER - self.header_length));
        self.header[self.header_length..][..head.len()].copy_from_slice(head);
        self.header_length += head.len();
        if self.header_length == HEADER {
            self.header_length = 0;
            let [flag, length @ ..] = self.header;
            // Only these flags are known; behind another one, lengths may mean anything.
            self.malformed = flag & 0b0111_1110 != 0;
            let trailers = flag & 0x80 != 0;
            let bytes = u32::from_be_bytes(length);
            let digest = (!trailers && self.kept.len() < self.limit).then(Sha256::new);
            self.current = Some(Current { bytes, left: bytes, compressed: flag & 1 != 0, digest, trailers });
        }
        rest
    }

    fn end_message(&mut self) {
        let Some(current) = self.current.take().filter(|current| !current.trailers) else {
            return;
        };
        self.count += 1;
        if let Some(digest) = current.digest {
            let sha256 = Hash::from_bytes(digest.finalize().into());
            self.kept.push(CapturedMessage { bytes: current.bytes, sha256, compressed: current.compressed });
        }
    }

    /// The first messages, the number of all whole ones, and whether nothing else was there.
    pub(super) fn finish(self) -> (Vec<CapturedMessage>, u64, bool) {
        let whole = !self.malformed && self.current.is_none() && self.header_length == 0;
        (self.kept, self.count, whole)
    }
}

impl Current {
    /// Takes what of `chunk` belongs to the message, and returns the rest.
    fn take<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        let length = usize::try_from(self.left).map_or(chunk.len(), |left| left.min(chunk.len()));
        let (payload, rest) = chunk.split_at(length);
        if let Some(digest) = &mut self.digest {
            digest.update(payload);
        }
        self.left -= u32::try_from(length).unwrap_or(self.left);
        rest
    }
}
