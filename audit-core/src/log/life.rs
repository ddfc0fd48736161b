//! The records that a log writes about itself.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use super::Coverage;
use super::clock::ClockState;
use super::coverage::Told;
use super::open_replicas::Healed;
use super::queue::OwnWords;
use super::shared::Shared;
use crate::backend::{Capabilities, Recovery};
use crate::policy::Policy;
use crate::record::{BodyWriter, Kind};

/// The version of the record format.
const FORMAT: u64 = 1;

fn start(shared: &Shared, kind: Kind) -> BodyWriter {
    BodyWriter::new(SystemTime::now(), kind, shared.limits.record.line)
}

/// `log.opened`: who writes, with which key, under which rules.
pub(crate) fn opened(shared: &Shared, origin: &str, policy: &Policy, capabilities: Capabilities) -> Vec<u8> {
    let limits = &shared.limits;
    let rest = limits.checkpoint_rest.max(capabilities.checkpoint_rest);
    let mut body = start(shared, Kind::LogOpened);
    body.text("origin", origin, 512);
    body.text("log", shared.verifier_key.name().rsplit('/').next().unwrap_or_default(), 64);
    body.text("key", &shared.verifier_key.to_string(), 512);
    body.number("format", FORMAT);
    body.word("software", concat!("audit-core ", env!("CARGO_PKG_VERSION")));
    body.word("policy_sha256", &policy.digest().to_hex());
    body.text("host", &host(), 256);
    body.number("pid", shared.process.into());
    body.word("durability", capabilities.sync.as_str());
    body.number("checkpoint_records", limits.checkpoint_records);
    body.number("checkpoint_ms", u64::try_from(limits.checkpoint_interval.as_millis()).unwrap_or(u64::MAX));
    body.number("checkpoint_rest_ms", u64::try_from(rest.as_millis()).unwrap_or(u64::MAX));
    body.number("heartbeat_s", limits.heartbeat.as_secs());
    clock(&mut body);
    body.finish(None)
}

/// `log.recovered`: what a crash left, and what was kept of it.
pub(crate) fn recovered(shared: &Shared, recovery: &Recovery, healed: Option<&Healed>) -> Vec<u8> {
    let mut body = start(shared, Kind::LogRecovered);
    body.number("signed", recovery.signed);
    body.number("adopted", recovery.adopted);
    body.number("offset", recovery.offset);
    body.number("cut_bytes", recovery.cut_bytes);
    body.number("cut_lines", recovery.cut_lines);
    if let Some(digest) = recovery.cut_sha256 {
        body.word("cut_sha256", &digest.to_hex());
    }
    if let Some(Healed { from, lines }) = healed {
        body.number("healed", *lines);
        body.text("healed_from", from, 64);
    }
    body.boolean("losses_unknown", true);
    body.finish(None)
}

/// A record that sums up what stands before it, where the log has `told` that much; `None` for one
/// that does not.
pub(crate) fn sum_up(shared: &Shared, words: OwnWords, told: Told) -> Option<Vec<u8>> {
    match words {
        OwnWords::Closed { open_activities } => Some(closed(shared, open_activities, &shared.coverage.at(told))),
        OwnWords::Heartbeat => Some(heartbeat(shared, &shared.coverage.at(told))),
        OwnWords::Gap { .. } => None,
    }
}

/// `log.closed`: the writer ended in order.
fn closed(shared: &Shared, open_activities: usize, counts: &Coverage) -> Vec<u8> {
    let mut body = start(shared, Kind::LogClosed);
    body.number("open_activities", open_activities as u64);
    coverage(counts, &mut body);
    body.finish(None)
}

/// `heartbeat`: the log is alive, what it has covered, and how good its clock is.
fn heartbeat(shared: &Shared, counts: &Coverage) -> Vec<u8> {
    let mut body = start(shared, Kind::Heartbeat);
    coverage(counts, &mut body);
    let status = shared.queue.status();
    body.number("open_activities", status.open_activities as u64);
    body.number("queue_depth", status.depth as u64);
    body.number("signed", shared.progress.signed.load(Ordering::Relaxed));
    clock(&mut body);
    body.finish(None)
}

fn coverage(coverage: &Coverage, body: &mut BodyWriter) {
    body.object("coverage", |body| {
        body.number("seen", coverage.seen);
        body.number("recorded", coverage.recorded);
        body.number("excluded", coverage.excluded);
        body.number("refused", coverage.refused);
        body.number("lost", coverage.lost);
        if coverage.pending > 0 {
            body.number("pending", coverage.pending);
        }
        if coverage.excluded > 0 {
            body.object("excluded_by_rule", |body| {
                coverage.excluded_by_rule.iter().for_each(|(rule, calls)| body.number_of(rule, *calls));
            });
        }
        if coverage.excluded_by_others > 0 {
            body.number("excluded_by_others", coverage.excluded_by_others);
        }
    });
}

fn clock(body: &mut BodyWriter) {
    let clock = ClockState::read();
    if let Some(synchronised) = clock.synchronised {
        body.object("clock", |body| {
            body.boolean("synchronised", synchronised);
            if let Some(error) = clock.max_error_us {
                body.number("max_error_us", error);
            }
        });
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
