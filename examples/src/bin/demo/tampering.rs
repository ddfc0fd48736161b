//! Ways to tamper with a log, and what each has to be found as.

use std::fs;
use std::path::Path;

use audit_core::Key;
use audit_core::evidence::SignedCheckpoint;
use audit_core::verify::{FindingKind, Judgement};
use examples::Failure;

use crate::copy::Copy;
use crate::evidence::Evidence;

/// One attempt: what somebody does, and what the verifier has to make of it.
struct Attempt {
    what: &'static str,
    /// Does it; the record that the verifier has to name, where it can name one.
    change: fn(&mut Copy, &Evidence, &Kept) -> Result<Option<usize>, Failure>,
    /// Whether the checkpoint that was kept elsewhere is shown to the verifier.
    against: Against,
    expected: Expected,
}

/// The checkpoints that somebody has kept elsewhere.
struct Kept {
    early: Vec<u8>,
    /// The one that the log was closed with.
    last: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Against {
    Nothing,
    Last,
}

#[derive(Clone, Copy)]
enum Expected {
    /// Tampered, with a finding of this kind.
    Found(FindingKind),
    /// Intact: the honest limit of what can be seen from a directory alone.
    NotToBeSeen,
}

/// Makes all attempts, prints a row for each, and counts those that came out otherwise.
pub(crate) fn try_all(evidence: &Evidence, early: &[u8], folder: &Path) -> Result<usize, Failure> {
    let kept = Kept { early: early.to_vec(), last: evidence.checkpoint()? };
    let mut failed = 0;
    for (number, attempt) in ATTEMPTS.iter().enumerate() {
        let mut copy = Copy::of(evidence, folder.join(format!("copy-{number}")))?;
        let at = (attempt.change)(&mut copy, evidence, &kept)?.map(|at| at as u64);
        let against = match attempt.against {
            Against::Nothing => None,
            Against::Last => Some(kept.last.as_slice()),
        };
        let verdict = evidence.verify_copy(copy.directory(), against)?;
        let finding = match attempt.expected {
            Expected::Found(kind) => {
                verdict.findings.iter().find(|finding| finding.kind == kind && (at.is_none() || finding.seq == at))
            }
            Expected::NotToBeSeen => None,
        };
        let judgement = verdict.judgement();
        let as_expected = match attempt.expected {
            Expected::Found(_) => judgement == Judgement::Tampered && finding.is_some(),
            Expected::NotToBeSeen => judgement == Judgement::Intact,
        };
        let mark = if as_expected { "✓" } else { "✗" };
        println!("{mark} {}", attempt.what);
        match finding {
            Some(finding) => println!("    {judgement}, {}: {}", finding.kind, finding.detail),
            None => println!("    {judgement}: {}", explain(as_expected)),
        }
        if !as_expected {
            failed += 1;
            for finding in &verdict.findings {
                println!("    found instead: {}: {}", finding.kind, finding.detail);
            }
        }
    }
    Ok(failed)
}

fn explain(as_expected: bool) -> &'static str {
    if as_expected {
        "an old copy looks like the log did then; only a checkpoint kept elsewhere tells"
    } else {
        "this should have been found"
    }
}

const ATTEMPTS: [Attempt; 12] = [
    Attempt {
        what: "edits a record: refund 1002 becomes 1009",
        change: |copy, _, _| {
            let at = edit(copy)?;
            copy.save()?;
            Ok(Some(at))
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::Edited),
    },
    Attempt {
        what: "deletes a record: the stranger's refund",
        change: |copy, _, _| {
            let at = copy.find("/v1/refunds/6666")?;
            copy.lines.remove(at);
            copy.save()?;
            Ok(Some(at))
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::Missing),
    },
    Attempt {
        what: "inserts a record between two others",
        change: |copy, _, _| {
            let at = copy.find("/v1/refunds/1003")?;
            let forged = copy.lines[at].replace("1003", "7777");
            copy.lines.insert(at, forged);
            copy.save()?;
            Ok(Some(at))
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::Inserted),
    },
    Attempt {
        what: "writes a record twice",
        change: |copy, _, _| {
            let at = copy.find("/v1/refunds/1001")?;
            copy.lines.insert(at, copy.lines[at].clone());
            copy.save()?;
            Ok(Some(at))
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::Duplicated),
    },
    Attempt {
        what: "swaps two records",
        change: |copy, _, _| {
            let at = copy.find("/v1/refunds/1002")?;
            copy.lines.swap(at, at + 1);
            copy.save()?;
            Ok(Some(at + 1))
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::Reordered),
    },
    Attempt {
        what: "edits a record and chains all later ones again, without the key",
        change: |copy, _, _| {
            let at = edit(copy)?;
            copy.chain_again(at + 1)?;
            copy.save()?;
            Ok(None)
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::Rewritten),
    },
    Attempt {
        what: "does the same, and signs it with a key of their own",
        change: |copy, evidence, _| {
            forge(copy, evidence)?;
            Ok(None)
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::WrongKey),
    },
    Attempt {
        what: "does the same, and replaces the public key beside the log too",
        change: |copy, evidence, _| {
            let key = forge(copy, evidence)?;
            copy.put_key(&key)?;
            Ok(None)
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::WrongKey),
    },
    Attempt {
        what: "does the same, but leaves the old signature under the new checkpoint",
        change: |copy, evidence, kept| {
            forge(copy, evidence)?;
            let forged = fs::read_to_string(copy.directory().join("checkpoint"))?;
            let last = std::str::from_utf8(&kept.last)?;
            let (text, _) = forged.split_once("\n\n").ok_or("no signature")?;
            let (_, signature) = last.split_once("\n\n").ok_or("no signature")?;
            copy.put_checkpoint(format!("{text}\n\n{signature}").as_bytes())?;
            Ok(None)
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::BadSignature),
    },
    Attempt {
        what: "cuts the last records off",
        change: |copy, _, _| {
            copy.lines.truncate(copy.lines.len() - 4);
            copy.save()?;
            Ok(None)
        },
        against: Against::Nothing,
        expected: Expected::Found(FindingKind::Truncated),
    },
    Attempt {
        what: "puts an old copy back, with the checkpoint of that time",
        change: |copy, _, kept| put_back(copy, kept),
        against: Against::Nothing,
        expected: Expected::NotToBeSeen,
    },
    Attempt {
        what: "does the same, but an auditor kept the last checkpoint (--against)",
        change: |copy, _, kept| put_back(copy, kept),
        against: Against::Last,
        expected: Expected::Found(FindingKind::Truncated),
    },
];

/// Changes the number of a refund; says in which record.
fn edit(copy: &mut Copy) -> Result<usize, Failure> {
    let at = copy.find("/v1/refunds/1002")?;
    copy.lines[at] = copy.lines[at].replace("/v1/refunds/1002", "/v1/refunds/1009");
    Ok(at)
}

/// Edits, chains again and signs with a new key under the log's own name; returns the key.
fn forge(copy: &mut Copy, evidence: &Evidence) -> Result<Key, Failure> {
    let at = edit(copy)?;
    copy.chain_again(at + 1)?;
    copy.save()?;
    let key = Key::generate(evidence.key().name())?;
    copy.sign(&key)?;
    Ok(key)
}

/// Puts everything back to where it was at the early checkpoint.
fn put_back(copy: &mut Copy, kept: &Kept) -> Result<Option<usize>, Failure> {
    let then = SignedCheckpoint::parse(&kept.early)?;
    copy.lines.truncate(usize::try_from(then.checkpoint().size)?);
    copy.save()?;
    copy.put_checkpoint(&kept.early)?;
    Ok(None)
}
