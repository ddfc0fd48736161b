//! A run: look, group, verify, compare.

use super::compare::{compare, no_copy};
use super::group::Group;
use super::history::{self, Found};
use super::lag::Lag;
use super::place::Place;
use super::{Copies, Fleet, FleetFinding, FleetVerdict, LogVerdict, without_name};
use crate::evidence::SignedCheckpoint;
use crate::verify::inquiry::Inquiry;
use crate::verify::{Class, Finding, FindingKind, KeySource, Progress, ReadError, Verdict, Verifier};

impl Fleet<'_> {
    /// Checks everything. Blocks until it is done.
    ///
    /// What cannot be read is not an error but part of the verdict.
    #[must_use]
    pub fn run(mut self) -> FleetVerdict {
        let logs = std::mem::take(&mut self.logs);
        let replicas = std::mem::take(&mut self.replicas);
        let copies =
            replicas.iter().enumerate().flat_map(|(store, replica)| replica.logs.iter().map(move |at| (at, store)));
        // Copies first: a log that has a name there has one here.
        let copies: Vec<_> = copies.map(|(at, store)| Place::look(at, Some(store))).collect();
        let own = logs.iter().map(|at| Place::look(at, None));
        let mut groups = Group::all(own.chain(copies).collect());
        let mut findings = Vec::new();
        if !self.whole {
            findings.extend(other_logs(&groups, &replicas));
            findings.extend(without_name::findings(&groups, &replicas));
            without_name::retain(&mut groups, &replicas);
        }
        let mut done = Progress::default();
        for group in &mut groups {
            self.verify(group, &mut done);
            findings.extend(self.compare(group, &replicas));
            // Thousands of logs have thousands of roots each, and these have been compared.
            group
                .copies_first()
                .filter_map(|place| place.inquiry.as_mut())
                .for_each(|inquiry| inquiry.roots = Vec::new());
        }
        findings.extend(without_copy(&groups, &replicas, self.whole));
        findings.extend(self.unmatched(&groups));
        let found = Found { groups: &groups, replicas: &replicas, whole: self.whole, under: self.under.as_deref() };
        let losses = history::losses(&self.earlier, &found);
        let state = history::after(self.earlier, &groups, &findings);
        findings.extend(losses);
        findings.extend(nothing(&groups, &findings));
        let logs = groups.into_iter().flat_map(verdicts).collect();
        let mut verdict = FleetVerdict { logs, findings, state };
        verdict.sort();
        verdict
    }

    /// Verifies all places of a log.
    fn verify(&mut self, group: &mut Group<'_, '_>, done: &mut Progress) {
        let sizes = group.sizes();
        let largest = group.largest().map(|place| place.location().to_owned());
        let name = group.name.clone();
        for place in group.copies_first() {
            let whole = largest.as_deref() == Some(place.location()) && !place.is_replica();
            let against = if whole { self.against_of(name.as_deref()) } else { Vec::new() };
            place.inquiry = Some(self.inquire(place, &sizes, against, done));
        }
    }

    fn inquire(
        &mut self,
        place: &Place<'_, '_>,
        sizes: &[u64],
        against: Vec<SignedCheckpoint>,
        done: &mut Progress,
    ) -> Inquiry {
        let source = if self.key.is_some() { KeySource::Pinned } else { KeySource::LogPub };
        let unreadable = |error: &ReadError| Inquiry::unreadable(Verdict::unreadable(source, error.to_string()));
        if let Some(error) = &place.unread {
            return unreadable(error);
        }
        let reader = match place.at.reader() {
            Ok(reader) => reader,
            Err(error) => return unreadable(&error),
        };
        let mut verifier = Verifier::new();
        if let Some(key) = &self.key {
            verifier = verifier.key(key.clone());
        }
        if let Some(now) = self.now.filter(|_| !place.is_replica()) {
            verifier = verifier.now(now);
        }
        if let Some(threads) = self.threads {
            verifier = verifier.threads(threads);
        }
        verifier = against.into_iter().fold(verifier, Verifier::against);
        let mut here = Progress::default();
        let before = *done;
        let told = &mut self.progress;
        let mut show = |progress: Progress| {
            here = progress;
            let sum = Progress { bytes: before.bytes + progress.bytes, records: before.records + progress.records };
            if let Some(told) = told {
                told(sum);
            }
        };
        let inquiry = verifier.progress(&mut show).inquire(&*reader, sizes);
        *done = Progress { bytes: before.bytes + here.bytes, records: before.records + here.records };
        inquiry
    }

    /// The checkpoints that the log `name` has to extend.
    fn against_of(&self, name: Option<&str>) -> Vec<SignedCheckpoint> {
        let is_its = |signed: &&SignedCheckpoint| !self.whole || name == Some(signed.checkpoint().origin.as_str());
        let earlier = name.and_then(|name| self.earlier.logs.get(name)).and_then(|seen| seen.checkpoint.clone());
        self.against.iter().filter(is_its).cloned().chain(earlier).collect()
    }

    /// What the places of one log say of each other.
    fn compare(&self, group: &Group<'_, '_>, replicas: &[Copies<'_>]) -> Vec<FleetFinding> {
        let Some(name) = group.name.as_deref() else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        let own = group.largest();
        if self.whole && own.is_none() {
            let places = group.copies.iter().map(Place::location);
            let detail = format!("the log {name} is in a replica's store, and nowhere in the fleet");
            findings.push(FleetFinding::new(Finding::new(FindingKind::Vanished, detail), Some(name), places));
        }
        findings.extend(own.and_then(|own| silence(name, own)));
        let Some(reference) = own.or(Place::largest(&group.copies)) else {
            return findings;
        };
        for copy in group.places().filter(|place| !std::ptr::eq(*place, reference)) {
            let lag = Lag::of(copy.store.and_then(|store| replicas.get(store)), self.now);
            let found = compare(name, reference, copy, lag)
                .unwrap_or_else(|error| vec![Finding::new(FindingKind::Unverifiable, error.to_string())]);
            let places = [reference.location(), copy.location()];
            findings.extend(found.into_iter().map(|finding| FleetFinding::new(finding, Some(name), places)));
        }
        findings
    }

    /// Checkpoints that were given of logs that are not there.
    fn unmatched(&self, groups: &[Group<'_, '_>]) -> Vec<FleetFinding> {
        let mut findings = Vec::new();
        for signed in self.against.iter().filter(|_| self.whole) {
            let name = signed.checkpoint().origin.as_str();
            if groups.iter().any(|group| group.name.as_deref() == Some(name) && !group.own.is_empty()) {
                continue;
            }
            let key = self.key.as_ref().and_then(|key| key.for_origin(name));
            let signed_by_us = key.is_some_and(|key| signed.verify(&key).is_ok());
            let kind = if signed_by_us { FindingKind::Vanished } else { FindingKind::Unverifiable };
            let detail = format!(
                "the checkpoint that was given (size {}) is of the log {name}, which is not there",
                signed.checkpoint().size
            );
            findings.push(FleetFinding::new(Finding::new(kind, detail), Some(name), []));
        }
        findings
    }
}

/// Logs of which a replica's store should have a copy and has none.
fn without_copy(groups: &[Group<'_, '_>], replicas: &[Copies<'_>], whole: bool) -> Vec<FleetFinding> {
    let mut findings = Vec::new();
    for (store, replica) in replicas.iter().enumerate() {
        let mut in_store = groups.iter().filter(|group| group.copies.iter().any(|copy| copy.store == Some(store)));
        // Whatever cannot be read there may be the copy; that it cannot be read is said already.
        if in_store.any(|group| group.copies.iter().any(|copy| copy.unread.is_some())) {
            continue;
        }
        for group in groups {
            let (Some(name), Some(own)) = (&group.name, group.largest()) else { continue };
            if group.copies.iter().all(|copy| copy.store != Some(store)) {
                let size = own.inquiry.as_ref().map_or(own.size, |inquiry| inquiry.size);
                let places = [own.location(), replica.location.as_str()];
                findings.push(FleetFinding::new(no_copy(name, size, &replica.location, whole), Some(name), places));
            }
        }
    }
    findings
}

/// A fleet without a log: where nothing was verified nothing is intact.
fn nothing(groups: &[Group<'_, '_>], findings: &[FleetFinding]) -> Option<FleetFinding> {
    let none = groups.iter().all(|group| group.own.is_empty());
    let tampered = findings.iter().any(|found| found.finding.class == Class::Tamper);
    (none && !tampered)
        .then(|| FleetFinding::new(Finding::new(FindingKind::Unverifiable, "there is no log to verify"), None, []))
}

/// For a single log: a place that should hold its copy and holds another log.
fn other_logs(groups: &[Group<'_, '_>], replicas: &[Copies<'_>]) -> Vec<FleetFinding> {
    let Some((name, own)) =
        groups.iter().find_map(|group| Some((group.name.as_deref()?, group.own.first()?.location())))
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for group in groups.iter().filter(|group| group.name.as_deref() != Some(name)) {
        let Some(other) = &group.name else { continue };
        for copy in &group.copies {
            // A store that is itself a log, rather than a prefix of many, was named as its copy.
            if copy.store.and_then(|store| replicas.get(store)).is_some_and(|store| store.one) {
                let there = copy.location();
                let detail = format!("`{there}` holds the log {other}, not {name} as `{own}` does");
                let finding = Finding::new(FindingKind::Forked, detail);
                findings.push(FleetFinding::new(finding, Some(name), [own, there]));
            }
        }
    }
    findings
}

fn silence(name: &str, place: &Place<'_, '_>) -> Option<FleetFinding> {
    place.inquiry.as_ref().filter(|inquiry| inquiry.fell_silent)?;
    let detail = format!("the log {name} at `{}` has fallen silent, and was not closed", place.location());
    Some(FleetFinding::new(Finding::new(FindingKind::Silent, detail), Some(name), [place.location()]))
}

fn verdicts(group: Group<'_, '_>) -> Vec<LogVerdict> {
    let Group { name, own, copies } = group;
    let places = own.into_iter().chain(copies);
    let verdict = |place: Place<'_, '_>| {
        let (location, replica) = (place.location().to_owned(), place.is_replica());
        let verdict = place.inquiry?.verdict;
        Some(LogVerdict { log: name.clone(), location, replica, verdict })
    };
    places.filter_map(verdict).collect()
}
