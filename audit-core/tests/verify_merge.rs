//! Many logs read as one, by time.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use audit_core::verify::{Lines, Merge};
use sample::{LOG_ID, Log, OTHER_ID, OnDisk, key_of};

fn merged(disks: &[OnDisk]) -> Vec<(usize, Vec<u8>)> {
    let lines = disks.iter().map(|disk| Lines::from(&disk.reader(), 0).expect("lines")).collect();
    let mut merge = Merge::new(lines).expect("logs");
    let mut read = Vec::new();
    while let Some((log, line)) = merge.next_line().expect("lines") {
        read.push((log, line.to_vec()));
    }
    assert!(merge.next_line().expect("lines").is_none());
    read
}

#[test]
fn lines_come_by_time_and_each_log_in_its_order() {
    let mut one = Log::new(key_of(LOG_ID));
    let mut other = Log::new(key_of(OTHER_ID));
    other.pass(3);
    for call in 0..50 {
        one.call(call);
        other.call(call);
        one.pass(call as i64 % 7);
        other.pass(call as i64 % 5);
    }
    let read = merged(&[one.write(), other.write()]);
    assert_eq!(read.len(), one.lines.len() + other.lines.len());
    for (at, log) in [&one, &other].into_iter().enumerate() {
        let lines: Vec<_> = read.iter().filter(|(from, _)| *from == at).map(|(_, line)| line.clone()).collect();
        assert_eq!(lines, log.lines);
    }
    let time = |line: &[u8]| {
        let text = String::from_utf8(line.to_vec()).expect("text");
        text.split("\"time\":\"").nth(1).expect("a time").split('"').next().expect("a time").to_owned()
    };
    let times: Vec<String> = read.iter().map(|(_, line)| time(line)).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(read.windows(2).any(|pair| pair[0].0 != pair[1].0 && pair[0].0 == 1), "they are interleaved");
}

#[test]
fn what_is_no_record_comes_when_it_is_next_in_its_log() {
    let mut log = Log::sample();
    log.lines[3] = b"no record".to_vec();
    let read = merged(&[log.write(), Log::sample().write()]);
    let lines: Vec<_> = read.iter().filter(|(from, _)| *from == 0).map(|(_, line)| line.clone()).collect();
    assert_eq!(lines, log.lines);
}

#[test]
fn no_log_has_no_lines() {
    assert_eq!(merged(&[]), []);
}
