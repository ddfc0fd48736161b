//! Bringing the places of one log together.

use std::collections::BTreeMap;

use super::place::Place;

/// One log: where the fleet has it, and where replicas have it.
#[derive(Debug, Default)]
pub(super) struct Group<'p, 'a> {
    /// `None` for a place of which nothing says which log it holds: it is alone.
    pub(super) name: Option<String>,
    /// The log itself; more than one place when the fleet holds a copy beside it.
    pub(super) own: Vec<Place<'p, 'a>>,
    pub(super) copies: Vec<Place<'p, 'a>>,
}

impl<'p, 'a> Group<'p, 'a> {
    /// Groups places by the names of their logs, in the order of these names; places without a name
    /// last.
    pub(super) fn all(places: Vec<Place<'p, 'a>>) -> Vec<Self> {
        let mut named: BTreeMap<String, Self> = BTreeMap::new();
        let mut nameless = Vec::new();
        for place in places {
            match place.name.clone() {
                Some(name) => named.entry(name).or_default().add(place),
                None => {
                    let mut group = Self::default();
                    group.add(place);
                    nameless.push(group);
                }
            }
        }
        let named = named.into_iter().map(|(name, group)| Self { name: Some(name), ..group });
        named.chain(nameless).collect()
    }

    fn add(&mut self, place: Place<'p, 'a>) {
        if place.is_replica() { self.copies.push(place) } else { self.own.push(place) }
    }

    /// All places, the log's own first.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place<'p, 'a>> {
        self.own.iter().chain(&self.copies)
    }

    /// All places, copies first: whoever is read later is never behind without reason.
    pub(super) fn copies_first(&mut self) -> impl Iterator<Item = &mut Place<'p, 'a>> {
        self.copies.iter_mut().chain(&mut self.own)
    }

    /// The sizes at which trees are to be compared; none where there is nothing to compare.
    pub(super) fn sizes(&self) -> Vec<u64> {
        let sizes: Vec<u64> = self.places().map(|place| place.size).collect();
        if sizes.len() > 1 { sizes } else { Vec::new() }
    }

    /// Where the fleet has most of the log.
    pub(super) fn largest(&self) -> Option<&Place<'p, 'a>> {
        Place::largest(&self.own)
    }
}
