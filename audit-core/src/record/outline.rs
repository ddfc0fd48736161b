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

/// What stands where the lines of one outline differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Time,
    Id,
    Text,
    Number,
    /// Nothing: the line ends.
    End,
}

/// Text that has to stand there, and the value behind it.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// Where the text ends in [`Outline::text`].
    end: usize,
    value: Value,
}

/// The members of a line behind its frame, with gaps for the values.
#[derive(Clone, Debug)]
struct Outline {
    text: Vec<u8>,
    steps: Vec<Step>,
    kind: Option<Kind>,
    /// The step in whose text the kind stands, where there, and how long it is.
    kind_word: (usize, usize, usize),
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
        let (mut text, mut steps) = (Vec::new(), Vec::new());
        let mut kind_word = None;
        let mut from = at;
        for (span, shape) in values {
            let (start, end) = (span.start as usize, span.end as usize);
            if *span == facts.kind_word {
                kind_word = Some((steps.len(), text.len() + start - from, end - start));
                continue;
            }
            let value = match shape {
                _ if *span == time => Value::Time,
                Shape::Text if Some(*span) == facts.id_span => Value::Id,
                Shape::Text => Value::Text,
                _ => Value::Number,
            };
            text.extend_from_slice(line.get(from..start)?);
            steps.push(Step { end: text.len(), value });
            from = if value == Value::Number { end } else { end + 1 };
        }
        let (step, offset, length) = kind_word?;
        let before = step.checked_sub(1).and_then(|step| steps.get(step)).map_or(0, |step: &Step| step.end);
        text.extend_from_slice(line.get(from..)?);
        steps.push(Step { end: text.len(), value: Value::End });
        Some(Self { text, steps, kind: facts.kind, kind_word: (step, offset - before, length) })
    }

    #[inline]
    fn read(&self, line: &[u8], mut at: usize, clock: &mut TimeReader) -> Option<BodyFacts> {
        let mut facts = BodyFacts { time: 0, kind: self.kind, kind_word: Span::default(), id: None, id_span: None };
        let (mut start, mut ascii) = (0, true);
        for (index, step) in self.steps.iter().enumerate() {
            let text = self.text.get(start..step.end)?;
            if line.get(at..at + text.len())? != text {
                return None;
            }
            if index == self.kind_word.0 {
                facts.kind_word = span(at + self.kind_word.1, self.kind_word.2);
            }
            at += text.len();
            start = step.end;
            match step.value {
                Value::Time => {
                    facts.time = clock.read(line.get(at..at + 27)?)?;
                    at += 27;
                    closing_quote(line, &mut at)?;
                }
                Value::Id => {
                    facts.id = Some(activity_id(line.get(at..at + 36)?)?);
                    facts.id_span = Some(span(at, 36));
                    at += 36;
                    closing_quote(line, &mut at)?;
                }
                Value::Text => {
                    let mut scanner = Scanner::new(line, at);
                    scanner.string().ok()?;
                    ascii &= scanner.is_ascii();
                    at = scanner.at();
                }
                Value::Number => {
                    let mut scanner = Scanner::new(line, at);
                    scanner.number().ok()?;
                    at = scanner.at();
                }
                Value::End => {}
            }
        }
        (at == line.len() && (ascii || std::str::from_utf8(line).is_ok())).then_some(facts)
    }
}

fn closing_quote(line: &[u8], at: &mut usize) -> Option<()> {
    let quote = line.get(*at) == Some(&b'"');
    *at += 1;
    quote.then_some(())
}

const fn span(start: usize, length: usize) -> Span {
    Span { start: start as u32, end: (start + length) as u32, escaped: false }
}

/// A UUID of 36 characters in lower case.
pub(crate) fn activity_id(text: &[u8]) -> Option<ActivityId> {
    if text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
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
            Ok::<_, crate::record::ParseError>((facts.time, facts.kind, facts.kind_word, facts.id, facts.id_span))
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
