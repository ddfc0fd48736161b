use std::time::Duration;

use audit_core::File;

use super::FileLocationError;

const BYTES: &str = "a whole number of bytes, or of KiB, MiB or GiB as in \"64MiB\"";
const TIME: &str = "a whole number of ms or s, at most an hour, as in \"10s\"";

/// The longest wait for another writer to go.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// The settings of [`File`] that an option names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileOptions {
    segment_bytes: Option<u64>,
    min_free: Option<u64>,
    lock_wait: Option<Duration>,
}

impl FileOptions {
    pub(super) fn read<'o>(options: impl Iterator<Item = &'o (String, String)>) -> Result<Self, FileLocationError> {
        let mut read = Self::default();
        for (name, value) in options {
            let twice = match name.as_str() {
                "segment_bytes" => read.segment_bytes.replace(bytes("segment_bytes", value)?).is_some(),
                "min_free" => read.min_free.replace(bytes("min_free", value)?).is_some(),
                "lock_wait" => read.lock_wait.replace(time("lock_wait", value)?).is_some(),
                _ => return Err(FileLocationError::UnknownOption { name: name.clone() }),
            };
            if twice {
                return Err(FileLocationError::DoubledOption { name: name.clone() });
            }
        }
        Ok(read)
    }

    pub(super) fn apply(self, mut file: File) -> File {
        if let Some(bytes) = self.segment_bytes {
            file = file.segment_bytes(bytes);
        }
        if let Some(bytes) = self.min_free {
            file = file.min_free(bytes);
        }
        if let Some(wait) = self.lock_wait {
            file = file.lock_wait(wait);
        }
        file
    }
}

fn bytes(name: &'static str, value: &str) -> Result<u64, FileLocationError> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
    let unit = units.iter().find_map(|(unit, shift)| Some((value.strip_suffix(unit)?, shift)));
    let read = unit.and_then(|(digits, shift)| number(digits)?.checked_mul(1 << shift));
    read.ok_or_else(|| FileLocationError::BadValue { name, value: value.to_owned(), expected: BYTES })
}

fn time(name: &'static str, value: &str) -> Result<Duration, FileLocationError> {
    let millis = value.strip_suffix("ms").map(|digits| number(digits).map(Duration::from_millis));
    let seconds = || value.strip_suffix('s').map(|digits| number(digits).map(Duration::from_secs));
    let read = millis.or_else(seconds).flatten().filter(|wait| *wait <= LONGEST_WAIT);
    read.ok_or_else(|| FileLocationError::BadValue { name, value: value.to_owned(), expected: TIME })
}

/// A decimal number without sign.
fn number(digits: &str) -> Option<u64> {
    let digits = digits.trim_end();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}
