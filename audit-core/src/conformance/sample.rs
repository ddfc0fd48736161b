use base64ct::{Base64, Encoding as _};

use crate::backend::{Batch, Head};
use crate::evidence::{CompactRange, Hash};
use crate::record::Kind;
use crate::record::line::{LINE_LIMIT, leaf, write_frame};

/// The key of the logs that the suite creates; nothing is signed with it.
pub const VERIFIER_KEY: &str = "conformance.example/log+acdae1d7+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

const ORIGIN: &str = "conformance.example/log";

/// Some well-formed lines that continue a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    before: Head,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    leaves: Vec<Hash>,
}

impl Sample {
    /// No lines yet, behind `before`.
    #[must_use]
    pub const fn after(before: Head) -> Self {
        Self { before, bytes: Vec::new(), ends: Vec::new(), leaves: Vec::new() }
    }

    /// Adds a line of `kind` with `members`, the rest of the object without its braces.
    #[must_use]
    pub fn line(mut self, kind: Kind, members: &str) -> Self {
        let head = self.head();
        let start = self.bytes.len();
        write_frame(head.size, &head.leaf, &mut self.bytes);
        self.bytes.extend_from_slice(b"\"time\":\"2026-01-02T03:04:05.678901Z\",\"kind\":\"");
        self.bytes.extend_from_slice(kind.as_str().as_bytes());
        self.bytes.push(b'"');
        if !members.is_empty() {
            self.bytes.push(b',');
            self.bytes.extend_from_slice(members.as_bytes());
        }
        self.bytes.push(b'}');
        self.leaves.push(leaf(&self.bytes[start..]));
        self.bytes.push(b'\n');
        self.ends.push(self.bytes.len());
        self
    }

    /// Adds `count` lines that all say `text`, which needs no escaping.
    #[must_use]
    pub fn lines(self, count: usize, text: &str) -> Self {
        (0..count).fold(self, |sample, _| sample.line(Kind::Event, &format!("\"action\":\"{text}\"")))
    }

    /// Adds a line of exactly the greatest length that is allowed.
    #[must_use]
    pub fn longest_line(self) -> Self {
        let short = self.clone().line(Kind::Event, "\"action\":\"\"");
        let length = short.bytes.len() - self.bytes.len() - 1;
        let text = "x".repeat(LINE_LIMIT - length);
        self.lines(1, &text)
    }

    /// The lines as a batch.
    #[must_use]
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self.before.size, &self.bytes, &self.ends, &self.leaves, false)
    }

    /// The head that the lines continue.
    #[must_use]
    pub const fn before(&self) -> Head {
        self.before
    }

    /// The head behind the lines.
    #[must_use]
    pub fn head(&self) -> Head {
        self.batch().head().unwrap_or(self.before)
    }

    /// The lines, each with its line feed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The line at `index` with its line feed; empty if there is none.
    #[must_use]
    pub fn nth(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(index);
        end.and_then(|end| self.bytes.get(start.copied().unwrap_or(0)..*end)).unwrap_or_default()
    }

    /// The first `count` lines.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let ends: Vec<usize> = self.ends.iter().take(count).copied().collect();
        let end = ends.last().copied().unwrap_or(0);
        Self {
            before: self.before,
            bytes: self.bytes.get(..end).unwrap_or_default().to_vec(),
            leaves: self.leaves.iter().take(count).copied().collect(),
            ends,
        }
    }

    /// The tree of a log that consists of the first `count` lines.
    #[must_use]
    pub fn range(&self, count: usize) -> CompactRange {
        let mut range = CompactRange::new();
        for leaf in self.leaves.iter().take(count) {
            range.push(*leaf);
        }
        range
    }

    /// A checkpoint over the first `count` lines of the log, with a signature of nobody.
    #[must_use]
    pub fn checkpoint(&self, count: usize) -> Vec<u8> {
        let range = self.range(count);
        let signature = Base64::encode_string(&[0; 68]);
        format!("{ORIGIN}\n{}\n{}\n\n\u{2014} {ORIGIN} {signature}\n", range.size(), range.root().to_base64(),)
            .into_bytes()
    }
}
