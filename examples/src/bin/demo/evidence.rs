//! The log on disk, and what its evidence says.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::VerifierKey;
use audit_core::backend::FileReader;
use audit_core::evidence::{Hash, SignedCheckpoint, TlogProof, inclusion_proof, leaf_hash};
use audit_core::verify::{Judgement, Verdict, Verifier};
use examples::Failure;

use crate::copy;

/// A closed log and its public key, as its owner handed them over.
pub(crate) struct Evidence {
    directory: PathBuf,
    key: VerifierKey,
    lines: Vec<String>,
}

impl Evidence {
    pub(crate) fn of(directory: &Path) -> Result<Self, Failure> {
        let key = fs::read_to_string(directory.join("log.pub"))?;
        let lines = fs::read_to_string(copy::segment(directory)?)?;
        Ok(Self {
            directory: directory.to_owned(),
            key: VerifierKey::parse(key.trim_end())?,
            lines: lines.lines().map(str::to_owned).collect(),
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The records, without line feeds.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The newest checkpoint.
    pub(crate) fn checkpoint(&self) -> Result<Vec<u8>, Failure> {
        Ok(fs::read(self.directory.join("checkpoint"))?)
    }

    /// What a verifier with the right key makes of a copy, and of a checkpoint kept elsewhere.
    pub(crate) fn verify_copy(&self, directory: &Path, against: Option<&[u8]>) -> Result<Verdict, Failure> {
        let mut verifier = Verifier::new().key(self.key.clone());
        if let Some(checkpoint) = against {
            verifier = verifier.against(SignedCheckpoint::parse(checkpoint)?);
        }
        Ok(verifier.run(&FileReader::open(directory)?))
    }

    /// Verifies the log itself, and prints the verdict.
    pub(crate) fn verify(&self) -> Result<(), Failure> {
        let verdict = self.verify_copy(&self.directory, None)?;
        println!("verdict: {}", verdict.judgement());
        println!("records: {}, signed: {}", verdict.records, verdict.signed);
        println!("root:    {}", verdict.root.to_base64());
        println!("key:     {}", self.key);
        for finding in &verdict.findings {
            println!("{}: {}: {}", finding.class, finding.kind, finding.detail);
        }
        match verdict.judgement() {
            Judgement::Intact => Ok(()),
            _ => Err("the log that nobody touched is not intact".into()),
        }
    }

    /// Proves one refund, and checks the proof as somebody would who has only the file and the key.
    pub(crate) fn prove_one(&self, file: &Path) -> Result<(), Failure> {
        let chosen = self.lines.iter().position(|line| line.contains("/v1/refunds/1002"));
        let chosen = chosen.ok_or("no record of refund 1002")?;
        let checkpoint = SignedCheckpoint::parse(&self.checkpoint()?)?;
        let leaves: Vec<Hash> = self.lines.iter().map(|line| leaf_hash(line.as_bytes())).collect();
        let size = checkpoint.checkpoint().size;
        let path = inclusion_proof(chosen as u64, size, leaves.as_slice())?;
        let proof = TlogProof::new(chosen as u64, path, checkpoint).with_extra(self.lines[chosen].as_bytes());
        fs::write(file, proof.to_bytes())?;

        let received = TlogProof::parse(&fs::read(file)?)?;
        let line = received.extra.clone().ok_or("the proof has no record in it")?;
        received.verify(&leaf_hash(&line), &self.key)?;
        let hashes = received.path.len();
        println!("record {} of {size}, proved by {hashes} hashes and one signature:", received.index);
        println!("{}\n", String::from_utf8_lossy(&line));
        println!("the proof checks");

        let altered = String::from_utf8(line)?.replace("1002", "1009");
        if received.verify(&leaf_hash(altered.as_bytes()), &self.key).is_ok() {
            return Err("the proof checks with another record, too".into());
        }
        println!("with one digit of the record changed, it does not");
        Ok(())
    }
}
