use crate::record::json::write_string;
use crate::verify::Finding;
use crate::verify::verdict::write_members;

/// Something that was found by comparing logs with one another, or with an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetFinding {
    /// What, and of which records.
    pub finding: Finding,
    /// The name of the log, `<origin>/<log id>`, where it is known.
    pub log: Option<String>,
    /// The places concerned: directories or URLs.
    pub locations: Vec<String>,
}

impl FleetFinding {
    pub(super) fn new<'l>(finding: Finding, log: Option<&str>, locations: impl IntoIterator<Item = &'l str>) -> Self {
        let locations = locations.into_iter().map(str::to_owned).collect();
        Self { finding, log: log.map(str::to_owned), locations }
    }

    /// Writes it as a JSON object.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_members(&self.finding, out);
        if let Some(log) = &self.log {
            out.extend_from_slice(b",\"log\":");
            write_string(log, usize::MAX, out);
        }
        out.extend_from_slice(b",\"locations\":[");
        for (at, location) in self.locations.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_string(location, usize::MAX, out);
        }
        out.extend_from_slice(b"]}");
    }
}
