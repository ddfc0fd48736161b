use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many marks are kept; with more, every second one is forgotten.
const MARKS: usize = 1_024;

/// The shortest time between two marks.
const APART: Duration = Duration::from_millis(100);

/// When the log had how many synced records, so that the age of a record can be told by its number.
#[derive(Debug, Default)]
pub(crate) struct Marks(VecDeque<(u64, Instant)>);

impl Marks {
    /// From `now` on the log has `size` synced records.
    pub(crate) fn add(&mut self, size: u64, now: Instant) {
        if let Some((last, at)) = self.0.back_mut()
            && (*last >= size || now.saturating_duration_since(*at) < APART)
        {
            // Records that come together count as old as the first of them.
            *last = size.max(*last);
            return;
        }
        self.0.push_back((size, now));
        if self.0.len() > MARKS {
            let mut keep = false;
            self.0.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    /// Forgets what is about records that every replica holds.
    pub(crate) fn forget_below(&mut self, size: u64) {
        while self.0.get(1).is_some_and(|(later, _)| *later <= size) {
            self.0.pop_front();
        }
    }

    /// How old the record at `seq` is, to within the distance of two marks; a record that is too
    /// young for a mark has no age.
    pub(crate) fn age(&self, seq: u64, now: Instant) -> Duration {
        let behind = self.0.partition_point(|(size, _)| *size <= seq);
        self.0.get(behind).map_or(Duration::ZERO, |(_, at)| now.saturating_duration_since(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_record_is_told_by_its_number() {
        let start = Instant::now();
        let mut marks = Marks::default();
        for second in 0..10_u64 {
            marks.add(second * 100 + 100, start + Duration::from_secs(second));
        }
        let now = start + Duration::from_secs(60);
        assert_eq!(marks.age(0, now), Duration::from_secs(60));
        assert_eq!(marks.age(99, now), Duration::from_secs(60));
        assert_eq!(marks.age(100, now), Duration::from_secs(59));
        assert_eq!(marks.age(999, now), Duration::from_secs(51));
        assert_eq!(marks.age(1_000, now), Duration::ZERO);
    }

    #[test]
    fn the_number_of_marks_is_bounded_whatever_happens() {
        let start = Instant::now();
        let mut marks = Marks::default();
        for step in 0..100_000_u64 {
            marks.add(step + 1, start + Duration::from_secs(step));
        }
        assert!(marks.0.len() <= MARKS);
        let now = start + Duration::from_secs(100_000);
        let oldest = marks.age(0, now);
        assert!(oldest >= Duration::from_secs(99_000), "the oldest mark is kept: {oldest:?}");
        marks.forget_below(99_990);
        assert!(marks.0.len() < 20);
    }
}
