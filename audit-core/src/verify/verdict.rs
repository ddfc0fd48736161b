use std::fmt;

use super::{Class, Finding, FindingKind};
use crate::evidence::Hash;
use crate::record::json::write_string;

/// What the evidence says of a log, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Judgement {
    /// Everything that is signed is as it was written.
    Intact,
    /// Something is not as it was written.
    Tampered,
    /// It could not be told.
    Unverifiable,
}

impl Judgement {
    /// The word that stands in a verdict.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Tampered => "tampered",
            Self::Unverifiable => "unverifiable",
        }
    }

    /// The exit code of a program that says this word: 0 intact, 1 tampered, 2 unverifiable.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Intact => 0,
            Self::Tampered => 1,
            Self::Unverifiable => 2,
        }
    }

    /// What some findings come to.
    pub(crate) fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        findings.into_iter().fold(Self::Intact, |word, finding| match (finding.class, finding.kind) {
            (Class::Tamper, _) => Self::Tampered,
            (_, FindingKind::Unverifiable) if word == Self::Intact => Self::Unverifiable,
            _ => word,
        })
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the key came from that signatures were checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySource {
    /// From whoever asked for the verdict.
    Pinned,
    /// From `log.pub`: whoever can rewrite the log can replace it.
    LogPub,
}

impl KeySource {
    /// The word that stands in a verdict.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::LogPub => "log.pub",
        }
    }
}

/// What a verifier found out about a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Where the key came from.
    pub key: KeySource,
    /// How many ended lines there are.
    pub records: u64,
    /// How many of them a good checkpoint signs.
    pub signed: u64,
    /// The root of the tree over all the lines that were found.
    pub root: Hash,
    /// What was found: what weighs most first, then by record.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The verdict on a log that could not be read.
    #[must_use]
    pub fn unreadable(key: KeySource, why: impl Into<String>) -> Self {
        Self {
            key,
            records: 0,
            signed: 0,
            root: Hash::empty_root(),
            findings: vec![Finding::new(FindingKind::Unverifiable, why)],
        }
    }

    /// The word: any finding of class `tamper` makes it tampered; else anything that kept the
    /// verifier from telling, unverifiable; else it is intact.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        Judgement::of(&self.findings)
    }

    /// The exit code of a program that reports this verdict: 0 intact, 1 tampered, 2 unverifiable.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.judgement().exit_code()
    }

    /// One JSON object on one line, without a line feed.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = format!(
            "{{\"verdict\":\"{}\",\"key\":\"{}\",\"records\":{},\"signed\":{},\"root\":\"{}\",\"findings\":[",
            self.judgement(),
            self.key.as_str(),
            self.records,
            self.signed,
            self.root.to_base64()
        )
        .into_bytes();
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_finding(finding, &mut out);
        }
        out.extend_from_slice(b"]}");
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Puts the findings in order.
    pub(crate) fn sort(&mut self) {
        self.findings.sort_by(in_order);
    }
}

/// The order of findings: by weight, then by record, then by kind.
pub(crate) fn in_order(one: &Finding, other: &Finding) -> std::cmp::Ordering {
    let key = |finding: &Finding| (std::cmp::Reverse(finding.class), finding.seq.is_none(), finding.seq, finding.kind);
    key(one).cmp(&key(other))
}

/// Writes a finding as a JSON object.
pub(crate) fn write_finding(finding: &Finding, out: &mut Vec<u8>) {
    write_members(finding, out);
    out.push(b'}');
}

/// Writes a finding as a JSON object to which members may be added: without the brace that ends it.
pub(crate) fn write_members(finding: &Finding, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{\"kind\":\"{}\",\"class\":\"{}\"", finding.kind, finding.class).as_bytes());
    if let Some(seq) = finding.seq {
        out.extend_from_slice(format!(",\"seq\":{seq}").as_bytes());
    }
    if let Some(to) = finding.to {
        out.extend_from_slice(format!(",\"to\":{to}").as_bytes());
    }
    out.extend_from_slice(b",\"detail\":");
    write_string(&finding.detail, usize::MAX, out);
}
