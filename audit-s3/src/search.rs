//! Finding an object by its number in a folder that may hold millions, in a few dozen requests.

use std::sync::Arc;
use std::time::Instant;

use super::fault::Fault;
use super::layout::Folder;
use super::store::Store;
use super::versions::{KeyVersions, Listing};

/// How far in front of a line its object is looked for at first.
const NEAR: u64 = 64;

/// An object with a number.
pub(crate) type Numbered = (u64, KeyVersions);

/// One page of a folder.
struct Page {
    first: Option<u64>,
    last: Option<Numbered>,
    truncated: bool,
}

impl Store {
    /// The object with the greatest number that still has a version; hidden ones count.
    ///
    /// Leaps ahead in strides that double, then halves what is left. That the end is the end is
    /// believed only of a listing that starts behind an object that is there.
    pub(crate) async fn newest(self: &Arc<Self>, folder: Folder, deadline: Instant) -> Result<Option<Numbered>, Fault> {
        let page = self.page(folder, None, deadline).await?;
        let (Some(first), Some(mut best)) = (page.first, page.last) else {
            return Ok(None);
        };
        let mut more = page.truncated;
        let span = (best.0 - first).max(1);
        while more {
            self.leap(folder, &mut best, span, deadline).await?;
            let next = self.page(folder, Some(best.1.key.clone()), deadline).await?;
            more = next.truncated;
            match next.last {
                Some(found) if found.0 > best.0 => best = found,
                _ => more = false,
            }
        }
        Ok(Some(best))
    }

    /// Moves `best` near the end of the folder; `span` is how many numbers a page covers.
    async fn leap(
        self: &Arc<Self>,
        folder: Folder,
        best: &mut Numbered,
        span: u64,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let mut stride = span.saturating_mul(2);
        let mut end = None;
        while end.unwrap_or(u64::MAX).saturating_sub(best.0) > span {
            let probe = end.map_or(best.0.saturating_add(stride), |end| best.0 + (end - best.0) / 2);
            let page = self.page(folder, self.layout.before(folder, probe), deadline).await?;
            match page.last.filter(|found| found.0 > best.0) {
                Some(found) if page.truncated => *best = found,
                Some(found) => {
                    *best = found;
                    return Ok(());
                }
                None => end = Some(probe),
            }
            stride = stride.saturating_mul(2);
        }
        Ok(())
    }

    /// The object that line `seq` is in, if it is anywhere: the one with the greatest number that is
    /// not greater.
    pub(crate) async fn holding(self: &Arc<Self>, seq: u64, deadline: Instant) -> Result<Option<Numbered>, Fault> {
        let mut back = NEAR;
        loop {
            let from = seq.saturating_sub(back);
            let behind = self.layout.before(Folder::Lines, from);
            let mut listing = Listing::new(self, self.layout.folder(Folder::Lines), behind);
            let mut found = None;
            while let Some(next) = listing.next(deadline).await? {
                match self.layout.number(Folder::Lines, &next.key) {
                    Some(number) if number > seq => break,
                    Some(number) if next.oldest.is_some() => found = Some((number, next)),
                    _ => {}
                }
            }
            if found.is_some() || from == 0 {
                return Ok(found);
            }
            back = back.saturating_mul(8);
        }
    }

    async fn page(self: &Arc<Self>, folder: Folder, behind: Option<String>, deadline: Instant) -> Result<Page, Fault> {
        let mut listing = Listing::new(self, self.layout.folder(folder), behind);
        let mut page = Page { first: None, last: None, truncated: true };
        while page.truncated && page.last.is_none() {
            let (keys, truncated) = listing.turn(deadline).await?;
            page.truncated = truncated;
            for key in keys {
                if let Some(number) = self.layout.number(folder, &key.key)
                    && key.oldest.is_some()
                {
                    page.first.get_or_insert(number);
                    page.last = Some((number, key));
                }
            }
        }
        Ok(page)
    }
}
