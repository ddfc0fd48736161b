use super::{FleetFinding, FleetState};
use crate::record::json::write_string;
use crate::verify::verdict::in_order;
use crate::verify::{Judgement, Verdict};

/// The verdict on one log of a fleet, or on one copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogVerdict {
    /// The name of the log, `<origin>/<log id>`; `None` where nothing says it.
    pub log: Option<String>,
    /// Where it is: a directory or URL.
    pub location: String,
    /// Whether it is a copy in a replica's store.
    pub replica: bool,
    /// What was found in it.
    pub verdict: Verdict,
}

/// What was found out about a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetVerdict {
    /// Each log and each copy by itself, by name; the log before its copies.
    pub logs: Vec<LogVerdict>,
    /// What comparing them showed: what weighs most first, then by record.
    pub findings: Vec<FleetFinding>,
    /// What to keep for the next run, see [`Fleet::earlier`](super::Fleet::earlier).
    pub state: FleetState,
}

impl FleetVerdict {
    /// The word: `tampered` if any log is or the comparison shows it; else `unverifiable` if anything
    /// could not be told; else `intact`.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        let of_logs = self.logs.iter().flat_map(|log| &log.verdict.findings);
        Judgement::of(of_logs.chain(self.findings.iter().map(|found| &found.finding)))
    }

    /// One JSON object on one line, without a line feed:
    /// `{"verdict":…,"logs":[…],"findings":[…]}`. Each log is what [`Verdict::to_json`] gives, with
    /// `log`, `location` and `replica` at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = format!("{{\"verdict\":\"{}\",\"logs\":[", self.judgement()).into_bytes();
        for (at, log) in self.logs.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            log.write(&mut out);
        }
        out.extend_from_slice(b"],\"findings\":[");
        for (at, finding) in self.findings.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            finding.write(&mut out);
        }
        out.extend_from_slice(b"]}");
        String::from_utf8_lossy(&out).into_owned()
    }

    pub(super) fn sort(&mut self) {
        self.findings.sort_by(|one, other| in_order(&one.finding, &other.finding).then(one.log.cmp(&other.log)));
    }
}

impl LogVerdict {
    fn write(&self, out: &mut Vec<u8>) {
        let verdict = self.verdict.to_json();
        out.extend_from_slice(verdict.strip_suffix('}').unwrap_or(&verdict).as_bytes());
        out.extend_from_slice(b",\"log\":");
        match &self.log {
            Some(log) => {
                write_string(log, usize::MAX, out);
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"location\":");
        write_string(&self.location, usize::MAX, out);
        out.extend_from_slice(format!(",\"replica\":{}}}", self.replica).as_bytes());
    }
}
