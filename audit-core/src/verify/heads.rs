//! The signed heads of a log: which are good, and what each says of the tree.

use super::{Finding, FindingKind, LogReader, ReadError};
use crate::evidence::{SignatureError, SignedCheckpoint};
use crate::key::VerifierKey;

/// Where a head came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From the store, under this name.
    Store(String),
    /// From whoever asked.
    Given,
}

/// A signed head.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) origin: Origin,
    pub(crate) signed: SignedCheckpoint,
    /// Whether the key signs it as a head of this log.
    pub(crate) good: bool,
}

impl Head {
    fn new(origin: Origin, signed: SignedCheckpoint) -> Self {
        Self { origin, signed, good: false }
    }

    pub(crate) const fn size(&self) -> u64 {
        self.signed.checkpoint().size
    }

    /// How messages call it.
    pub(crate) fn called(&self) -> String {
        let size = self.size();
        match &self.origin {
            Origin::Store(name) => format!("`{name}` (size {size})"),
            Origin::Given => format!("the checkpoint that was given (size {size})"),
        }
    }
}

/// All the heads that are known of a log.
#[derive(Debug, Default)]
pub(crate) struct Heads(pub(crate) Vec<Head>);

impl Heads {
    /// Reads the heads of the store. What is not a checkpoint is a finding.
    pub(crate) fn read(
        reader: &dyn LogReader,
        given: &[SignedCheckpoint],
        findings: &mut Vec<Finding>,
    ) -> Result<Self, ReadError> {
        let mut heads = Self::default();
        if let Some(bytes) = reader.checkpoint()? {
            heads.add("checkpoint".to_owned(), &bytes, findings);
        }
        for (name, bytes) in reader.kept_checkpoints()? {
            heads.add(name, &bytes, findings);
        }
        let given = given.iter().cloned();
        heads.0.extend(given.map(|signed| Head::new(Origin::Given, signed)));
        Ok(heads)
    }

    /// Adds the newest checkpoint of the store as it is now, if it is another one.
    pub(crate) fn refresh(&mut self, reader: &dyn LogReader) -> Result<(), ReadError> {
        if let Some(bytes) = reader.checkpoint()?
            && !self.0.iter().any(|head| head.signed.to_bytes() == bytes)
        {
            self.add("checkpoint".to_owned(), &bytes, &mut Vec::new());
        }
        Ok(())
    }

    fn add(&mut self, name: String, bytes: &[u8], findings: &mut Vec<Finding>) {
        match SignedCheckpoint::parse(bytes) {
            Ok(signed) => self.0.push(Head::new(Origin::Store(name), signed)),
            Err(error) => findings
                .push(Finding::new(FindingKind::BadSignature, format!("`{name}` is not a signed checkpoint: {error}"))),
        }
    }

    /// The sizes, ascending, each once.
    pub(crate) fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.0.iter().map(Head::size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Checks who signed what. `name` is the name of the log, where it is known.
    pub(crate) fn check(&mut self, key: &VerifierKey, name: Option<&str>, findings: &mut Vec<Finding>) {
        for head in &mut self.0 {
            match check(head, key, name) {
                Ok(()) => head.good = true,
                Err(finding) => findings.push(finding),
            }
        }
    }

    /// The good ones.
    pub(crate) fn good(&self) -> impl Iterator<Item = &Head> {
        self.0.iter().filter(|head| head.good)
    }

    /// The size of the largest good one.
    pub(crate) fn largest(&self) -> u64 {
        self.good().map(Head::size).max().unwrap_or(0)
    }
}

fn check(head: &Head, key: &VerifierKey, name: Option<&str>) -> Result<(), Finding> {
    let called = head.called();
    let origin = &head.signed.checkpoint().origin;
    let Some(key) = key.for_origin(origin) else {
        return Err(foreign(head, origin, name.unwrap_or(key.name())));
    };
    let signature = head.signed.verify(&key);
    if let Err(error) = signature {
        return Err(unsigned(&error, &called, &key));
    }
    match name {
        Some(name) if name != origin => Err(foreign(head, origin, name)),
        _ => Ok(()),
    }
}

/// A head of another log than the one called `name`.
fn foreign(head: &Head, origin: &str, name: &str) -> Finding {
    let called = head.called();
    let base = |name: &str| name.rsplit_once('/').map(|(base, _)| base.to_owned());
    if base(origin).is_some() && base(origin) == base(name) {
        return Finding::new(
            FindingKind::Forked,
            format!("{called} is of the log `{origin}`, but this one was made anew as `{name}`"),
        );
    }
    match head.origin {
        Origin::Store(_) => {
            Finding::new(FindingKind::Forked, format!("{called} is of another log, `{origin}`; this one is `{name}`"))
        }
        Origin::Given => Finding::new(
            FindingKind::Unverifiable,
            format!("{called} is of another log, `{origin}`; this one is `{name}`: nothing can be compared"),
        ),
    }
}

fn unsigned(error: &SignatureError, called: &str, key: &VerifierKey) -> Finding {
    match error {
        SignatureError::NotSigned { signers } => Finding::new(
            FindingKind::WrongKey,
            format!("{called} is signed by {}, not by {}+{:08x}", signers.join(", "), key.name(), key.key_id()),
        ),
        other => Finding::new(FindingKind::BadSignature, format!("{called}: {other}")),
    }
}
