//! All servers that are kept.

use std::path::Path;
use std::thread;

use real_servers::Failure;
use serde_json::{Value, json};

use crate::nats::KeptNats;
use crate::postgres::KeptPostgres;
use crate::purpose::Purpose;
use crate::s3::KeptS3;
use crate::{nats, postgres, s3};

/// One of each; all end when this is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    nats: KeptNats,
    postgres: KeptPostgres,
    s3: KeptS3,
}

impl Kept {
    /// Starts all of them side by side, and writes their configuration files into `folder`.
    pub(crate) fn start(folder: &Path, purpose: Purpose) -> Result<Self, Failure> {
        thread::scope(|scope| {
            let s3 = scope.spawn(|| s3::start(folder, purpose));
            let nats = scope.spawn(|| nats::start(folder, purpose));
            let postgres = postgres::start(folder, purpose);
            let died = |_| Failure::from("starting a server panicked");
            let (s3, nats) = (s3.join().map_err(died)?, nats.join().map_err(died)?);
            let failed = |server: &str, error: Failure| format!("{server}: {error}");
            Ok(Self {
                nats: nats.map_err(|error| failed("NATS", error))?,
                postgres: postgres.map_err(|error| failed("PostgreSQL", error))?,
                s3: s3.map_err(|error| failed("S3", error))?,
            })
        })
    }

    /// What there is, for `kept.json`.
    pub(crate) fn describe(&self) -> Value {
        json!({
            "configurations": [
                { "file": "s3.toml", "stores": [self.s3.conditional.describe(), self.s3.locked.describe()] },
                { "file": "nats.toml", "stores": [self.nats.one.describe(), self.nats.three.describe()] },
                { "file": "postgres.toml", "stores": [self.postgres.store.describe()] },
            ],
            "open_nats": self.nats.open(),
            "postgres_port": self.postgres.port().to_string(),
        })
    }
}
