//! Answering callers whose rule asks for more than the primary gives by itself.

use super::Receipt;
use super::sequencer::answer;
use super::shared::Shared;

/// Answers everybody whose record is now in as many stores, and as durable, as its rule asks.
pub(crate) fn answer_copied(shared: &Shared) {
    let primary = shared.stores.primary().sync;
    for record in shared.inflight.take_copied(|demand| shared.stores.met_below(demand)) {
        let wanted = record.submission.demand.wanted;
        let class = if primary.satisfies(wanted) { primary } else { wanted };
        let receipt = Receipt::new(record.seq, record.leaf, class).in_stores(shared.stores.copies(record.seq));
        answer(shared, &record.submission, receipt);
    }
}
