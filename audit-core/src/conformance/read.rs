use super::{Check, Sample, Store, Violation, soon};
use crate::backend::Head;
use crate::record::Kind;

/// Text that a store might be tempted to normalise, escape or cut.
const HOSTILE: [&str; 6] = [
    r#""action":"\u0000\u0007 NUL and bell""#,
    r#""action":"a' OR 1=1; DROP TABLE log; --","attrs":{"b":1,"a":2,"b2":1.50e3}"#,
    "\"action\":\"e\u{301} \u{1f600} \u{202e}right to left\"",
    r#""action":"\\n \\ \/ \" %2e%2e","attrs":{}"#,
    r#""action":"  spaces  stay  ""#,
    "\"action\":\"\u{85}\u{2028}\u{2029} other line ends\"",
];

/// What `read` returns is, byte for byte, what `append` was given: hostile text, the longest line
/// that is allowed, batches of any size.
///
/// # Errors
///
/// When the store does otherwise.
pub fn reads_return_what_was_appended(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("reads_return_what_was_appended");
    let mut writer = check.created(store)?;
    let hostile = HOSTILE.iter().fold(Sample::after(Head::EMPTY), |sample, text| sample.line(Kind::Event, text));
    let long = Sample::after(hostile.head()).longest_line().longest_line();
    let many = Sample::after(long.head()).lines(1_000, "one of many");
    let mut all = Vec::new();
    for sample in [&hostile, &long, &many] {
        check.append(writer.as_mut(), sample)?;
        all.extend_from_slice(sample.bytes());
    }
    check.holds(writer.as_mut(), &all, many.head().size)
}

/// A read from any line on starts with that line, ends with a line feed, stays in its range, and
/// is empty behind the end.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_read_returns_whole_lines_of_its_range(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_read_returns_whole_lines_of_its_range");
    let mut writer = check.created(store)?;
    let mut sample = Sample::after(Head::EMPTY);
    for length in 0..40 {
        let text = "x".repeat(length * 37);
        let next = Sample::after(sample.head()).lines(1, &text);
        check.append(writer.as_mut(), &next)?;
        sample = sample.lines(1, &text);
    }
    for start in (0..40_usize).rev() {
        for length in [1, 2, 39] {
            let end = (start + length).min(40);
            let range = start as u64..end as u64;
            let found = check.works("reading", writer.read(range.clone(), soon()))?;
            let expected: Vec<u8> = (start..end).flat_map(|at| sample.nth(at)).copied().collect();
            let whole = found.ends_with(b"\n") && expected.starts_with(&found);
            if !whole || found.len() < sample.nth(start).len() {
                return Err(check.violation(format!("a read of {range:?} returned other bytes")));
            }
        }
    }
    for range in [40..41, 40..40, 41..99, 5..5, 0..0] {
        let found = check.works("reading", writer.read(range, soon()))?;
        check.same("lines behind the end or of an empty range", &found, &Vec::new())?;
    }
    Ok(())
}

/// A reader on another thread sees every line whose append has returned, and nothing behind the last.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_reader_sees_what_was_appended(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_reader_sees_what_was_appended");
    let mut writer = check.created(store)?;
    let mut reader = check.works("taking a reader", writer.reader())?;
    let mut head = Head::EMPTY;
    let mut next = 0;
    for round in 0..5 {
        let found = check.works("reading behind the end", reader.read(next..next + 10, soon()))?;
        check.same("lines behind the end", &found, &Vec::new())?;
        let sample = Sample::after(head).lines(40, &format!("round {round}"));
        check.append(writer.as_mut(), &sample)?;
        head = sample.head();
        let mut all = Vec::new();
        while next < head.size {
            let found = check.works("reading elsewhere", reader.read(next..head.size, soon()))?;
            if found.is_empty() {
                return Err(check.violation(format!("line {next} of {} is not seen", head.size)));
            }
            next += memchr::memchr_iter(b'\n', &found).count() as u64;
            all.extend_from_slice(&found);
        }
        check.same("what the reader sees", &(all == sample.bytes()), &true)?;
    }
    Ok(())
}
