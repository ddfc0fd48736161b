//! What the lines of a log have in common, so that most of each need only be compared.
//!
//! Most lines have the same members, in the same order, as some line before them. The text
//! between the values of that line has been checked once; where it stands again, byte for byte,
//! only the values are left to check.

use super::scan::{Scanner, Shape, Span};
use super::time_reader::TimeReader;
use super::{ActivityId, BodyFacts, Kind};

/// How many outlines are kept.
const OUTLINES: usize = 16;

/// How many values a line may have to be taken as an outline, and how many bytes.
const VALUES: usize = 64;
const BYTES: usize = 4_096;

/// What a value has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Time,
    Id,
    Text,
    Number,
}

/// A value of the line that was taken as outline.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    /// Behind the closing quote, if it has one.
    end: usize,
    value: Value,
}

/// A line behind its frame, and where its values stand.
#[derive(Clone, Debug)]
struct Outline {
    line: Vec<u8>,
    places: Vec<Place>,
    kind: Option<Kind>,
    /// Where the kind stands, if only a time comes before it: then it is there in every line of
    /// this outline, and tells others off at a glance.
    glance: Option<(usize, [u8; 8])>,
}

/// The outlines of the lines that were read last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outlines {
    known: Vec<Outline>,
    /// Lines without a known outline since there was room for one more.
    missed: u64,
}

impl Outlines {
    /// What `line` says, if it has a known outline from `at` on and its values are as they have
    /// to be. `None` says nothing about it.
    #[inline]
    pub(crate) fn read(&mut self, line: &[u8], at: usize, clock: &mut TimeReader) -> Option<BodyFacts> {
        let found =
            self.known.iter().enumerate().find_map(|(index, outline)| Some((index, outline.read(line, at, clock)?)));
        let (index, facts) = found?;
        if index > 1 {
            self.known.swap(index, index - 1);
        }
        Some(facts)
    }

    /// Takes the outline of a line that has been checked. `values` are its strings and numbers,
    /// in order, and `facts` what it says.
    pub(crate) fn learn(&mut self, line: &[u8], at: usize, values: &[(Span, Shape)], facts: &BodyFacts, time: Span) {
        if values.len() > VALUES || line.len() > BYTES {
            return;
        }
        if self.known.len() >= OUTLINES {
            // Where no two lines are alike, learning each of them would only cost.
            self.missed += 1;
            if !self.missed.is_multiple_of(16) {
                return;
            }
        }
        let Some(outline) = Outline::of(line, at, values, facts, time) else {
            return;
        };
        if self.known.len() >= OUTLINES {
            self.known.pop();
        }
        self.known.push(outline);
    }
}

impl Outline {
    fn of(line: &[u8], at: usize, values: &[(Span, Shape)], facts: &BodyFacts, time: Span) -> Option<Self> {
        let mut places = Vec::with_capacity(values.len());
        for (span, shape) in values.iter().filter(|(span, _)| *span != facts.kind_word) {
            let (start, end) = ((span.start as usize).checked_sub(at)?, (span.end as usize).checked_sub(at)?);
            let value = match shape {
                _ if *span == time => Value::Time,
                Shape::Text if Some(*span) == facts.id_span => Value::Id,
                Shape::Text => Value::Text,
                _ => Value::Number,
            };
            let end = if value == Value::Number { end } else { end + 1 };
            places.push(Place { start, end, value });
        }
        let line = line.get(at..)?.to_vec();
        let word = (facts.kind_word.start as usize).checked_sub(at)?;
        let mut before = places.iter().take_while(|place: &&Place| place.start < word);
        let fixed = before.all(|place| place.value == Value::Time);
        let first = line.get(word..).and_then(|rest| rest.first_chunk::<8>());
        let glance = first.filter(|_| fixed).map(|first| (word, *first));
        Some(Self { line, places, kind: facts.kind, glance })
    }

    /// Compares `line` from `at` on with the outline, and checks the values that differ.
    #[inline]
    fn read(&self, line: &[u8], mut at: usize, clock: &mut TimeReader) -> Option<BodyFacts> {
        if let Some((word, first)) = &self.glance
            && line.get(at + word..)?.first_chunk::<8>()? != first
        {
            return None;
        }
        let mut facts = BodyFacts { time: 0, kind: self.kind, kind_word: Span::default(), id: None, id_span: None };
        let (mut here, mut ascii) = (0, true);
        for place in &self.places {
            let always = matches!(place.value, Value::Time | Value::Id);
            // The byte behind a number belongs to it: more digits may stand there.
            let end = if always { place.start } else { place.end + usize::from(place.value == Value::Number) };
            if here >= end && !always {
                continue;
            }
            let same = common(line.get(at..)?, self.line.get(here..end.min(self.line.len()))?);
            (here, at) = (here + same, at + same);
            if here == end && !always {
                continue;
            }
            // The text in front of the value has to be the same; the value need not.
            at = at.checked_sub(here.checked_sub(place.start)?)?;
            here = place.end;
            at = match place.value {
                Value::Time => {
                    facts.time = clock.read(line.get(at..at + 27)?)?;
                    closing_quote(line, at + 27)?
                }
                Value::Id => {
                    facts.id = Some(ActivityId::from_lower_hex(line.get(at..at + 36)?)?);
                    closing_quote(line, at + 36)?
                }
                Value::Text => {
                    let mut scanner = Scanner::new(line, at);
                    scanner.string().ok()?;
                    ascii &= scanner.is_ascii();
                    scanner.at()
                }
                Value::Number => {
                    let mut scanner = Scanner::new(line, at);
                    scanner.number().ok()?;
                    scanner.at()
                }
            };
        }
        let same = self.line.get(here..) == line.get(at..);
        (same && (ascii || std::str::from_utf8(line).is_ok())).then_some(facts)
    }
}

/// How many bytes two slices have in common at their starts.
#[inline]
fn common(one: &[u8], other: &[u8]) -> usize {
    let shorter = one.len().min(other.len());
    let mut same = 0;
    while let (Some(one), Some(other)) = (word(one, same), word(other, same)) {
        let different = one ^ other;
        if different != 0 {
            return same + different.trailing_zeros() as usize / 8;
        }
        same += 8;
    }
    if shorter < 8 {
        return one.iter().zip(other).take_while(|(one, other)| one == other).count();
    }
    // The last eight bytes overlap with those before, which are known to be the same.
    let last = shorter - 8;
    match (word(one, last), word(other, last)) {
        (Some(one), Some(other)) if one != other => last + (one ^ other).trailing_zeros() as usize / 8,
        _ => shorter,
    }
}

/// Eight bytes, the first of them lowest.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*eight))
}

/// Behind the quote that has to stand there.
fn closing_quote(line: &[u8], at: usize) -> Option<usize> {
    (line.get(at) == Some(&b'"')).then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::record::{Frame, LineParser};

    const MEMBERS: [&str; 4] = [
        "\"time\":\"2026-11-23T11:40:06.757467Z\",\"kind\":\"intent\",\"id\":\"0193580e-5f1a-7aaa-bbbb-0123456789ab\",\"actor\":{\"type\":\"user\",\"id\":\"a\\u00e9\",\"verified\":true},\"n\":12}",
        "\"time\":\"2026-11-23T11:40:06.757468Z\",\"kind\":\"outcome\",\"id\":\"0193580e-5f1a-7aaa-bbbb-0123456789ab\",\"result\":\"success\",\"status\":201}",
        "\"kind\":\"event\",\"time\":\"2026-11-23T11:40:06.757469Z\",\"a\":[1,{\"é\":\"ü\"},\"\"],\"b\":{}}",
        "\"time\":\"2026-11-23T11:40:06.757470Z\",\"kind\":\"heartbeat\"}",
    ];

    fn line(members: &[u8]) -> Vec<u8> {
        let mut line = format!("{{\"v\":1,\"seq\":7,\"prev\":\"{}\",", "9f".repeat(32)).into_bytes();
        line.extend_from_slice(members);
        line
    }

    #[test]
    fn what_two_slices_have_in_common_ends_where_they_differ() {
        let one: Vec<u8> = (0..40).collect();
        for length in 0..40 {
            for at in 0..40 {
                let mut other = one.clone();
                other[at] = 99;
                assert_eq!(super::common(&one[..length], &other), at.min(length));
                assert_eq!(super::common(&one, &other[..length]), at.min(length));
            }
        }
    }

    /// A parser that has seen the lines says of `line` what one says that has seen nothing.
    fn agree(line: &[u8]) {
        let Ok(frame) = Frame::parse(line) else {
            return;
        };
        let mut knowing = LineParser::for_many();
        for members in MEMBERS {
            let known = self::line(members.as_bytes());
            knowing.body(&known, frame.length).expect("a record");
        }
        let told = |parser: &mut LineParser| {
            let facts = parser.body(line, frame.length)?;
            Ok::<_, crate::record::ParseError>((facts.time, facts.kind, facts.id))
        };
        assert_eq!(told(&mut knowing), told(&mut LineParser::default()));
    }

    #[test]
    fn every_change_of_one_byte_is_judged_alike() {
        for members in MEMBERS {
            let good = line(members.as_bytes());
            agree(&good);
            for at in 0..good.len() {
                for byte in [0, b'\n', b'"', b'\\', b'0', b'9', b'a', b'A', b',', b'}', b' ', 0x80, 0xc3, 0xff] {
                    let mut changed = good.clone();
                    changed[at] = byte;
                    agree(&changed);
                }
                agree(&good[..at]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn other_values_are_judged_alike(value in any::<String>(), number in any::<f64>(), raw in "[ -~]{0,12}") {
            let text = serde_json::to_string(&value).expect("json");
            for members in MEMBERS {
                agree(&line(members.replace("\"success\"", &text).replace("\"ü\"", &text).as_bytes()));
                agree(&line(members.replace("201", &number.to_string()).replace("12", &raw).as_bytes()));
                agree(&line(members.replace("success", &raw).replace("0193580e", &raw).as_bytes()));
            }
        }
    }
}
