//! How long objects are locked: what is asked for, and what is seen on them later.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types::ObjectLockMode;

use super::LockMode;

/// The user metadata that say what was promised when an object was made. They are part of the
/// version: nobody can change them without making another one.
const PROMISED_MODE: &str = "lock-mode";
const PROMISED_UNTIL: &str = "retain-until";

/// How much earlier than promised a date may be: the clocks of two machines.
const TOLERANCE: i64 = 3_600;

const DAY: u64 = 86_400;

/// The retention that is asked for with each new object: also where it is the bucket's default, which somebody
/// may change while the log runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) mode: LockMode,
    pub(crate) days: u32,
    /// Whether it is the bucket's default, as it was when the log was opened.
    pub(crate) of_bucket: bool,
}

impl Retention {
    /// Until when an object that is made now is locked.
    pub(crate) fn until(&self) -> DateTime {
        DateTime::from(SystemTime::now() + Duration::from_secs(u64::from(self.days) * DAY))
    }

    /// The promise that is kept beside an object.
    pub(crate) fn promise(&self, until: &DateTime) -> [(&'static str, String); 2] {
        let until = until.fmt(DateTimeFormat::DateTime).unwrap_or_default();
        [(PROMISED_MODE, self.mode.as_str().to_owned()), (PROMISED_UNTIL, until)]
    }
}

/// The lock on an object as an answer shows it, and what was promised when it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LockSeen {
    mode: Option<LockMode>,
    until: Option<i64>,
    promised: Option<(LockMode, i64)>,
}

impl LockSeen {
    pub(crate) fn of_answer(
        mode: Option<&ObjectLockMode>,
        until: Option<&DateTime>,
        metadata: Option<&HashMap<String, String>>,
    ) -> Self {
        let said = |name| metadata.and_then(|metadata| metadata.get(name));
        let promised_mode = said(PROMISED_MODE).and_then(|mode| LockMode::from_word(mode));
        let promised_until =
            said(PROMISED_UNTIL).and_then(|until| DateTime::from_str(until, DateTimeFormat::DateTime).ok());
        Self {
            mode: mode.and_then(|mode| LockMode::from_word(mode.as_str())),
            until: until.map(DateTime::secs),
            promised: promised_mode.zip(promised_until.map(|until| until.secs())),
        }
    }

    /// What is weaker about the lock than it has to be, if anything is.
    pub(crate) fn weakness(&self) -> Option<String> {
        let Some((promised_mode, promised_until)) = self.promised else {
            return Some("does not say which lock it was made with".into());
        };
        let date = |seconds: i64| DateTime::from_secs(seconds).fmt(DateTimeFormat::DateTime).unwrap_or_default();
        let (Some(mode), Some(until)) = (self.mode, self.until) else {
            let over = promised_until <= DateTime::from(SystemTime::now()).secs();
            let promised = date(promised_until);
            return (!over)
                .then(|| format!("has no lock, or one that may not be seen; it was made locked until {promised}"));
        };
        if promised_mode == LockMode::Compliance && mode == LockMode::Governance {
            return Some("was locked in compliance mode, and is in governance mode now".into());
        }
        (until < promised_until - TOLERANCE)
            .then(|| format!("was locked until {}, and is only until {} now", date(promised_until), date(until)))
    }
}
