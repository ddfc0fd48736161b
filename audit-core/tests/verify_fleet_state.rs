//! What a run keeps for the next one, and what that one makes of it.

#![allow(clippy::expect_used, reason = "what is shared between tests may fail them")]

mod sample;

use std::sync::LazyLock;

use audit_core::backend::FileReader;
use audit_core::verify::{Class, FindingKind, Fleet, FleetState, FleetVerdict, Judgement, LogAt, ReadError};
use proptest::prelude::*;
use sample::{LOG_ID, Log, ORIGIN, OTHER_ID, OnDisk, key_of};

fn at<'a>(location: &str, disk: &OnDisk) -> LogAt<'a> {
    let dir = disk.path().to_owned();
    LogAt::new(location, move || Ok(Box::new(FileReader::open(&dir)?)))
}

fn run<'a>(logs: impl IntoIterator<Item = LogAt<'a>>, earlier: FleetState) -> FleetVerdict {
    let key = key_of(LOG_ID).verifier().with_name(ORIGIN).expect("a name");
    Fleet::of(logs).key(key).earlier(earlier).run()
}

/// The state after a run over the sample at `a` and another log at `b`.
fn state() -> FleetState {
    static STATE: LazyLock<FleetState> = LazyLock::new(first_run);
    STATE.clone()
}

fn first_run() -> FleetState {
    let verdict = run([at("a", &Log::sample().write()), at("b", &other().write())], FleetState::default());
    assert_eq!(verdict.judgement(), Judgement::Intact);
    verdict.state
}

fn other() -> Log {
    let mut log = Log::new(key_of(OTHER_ID));
    log.call(0);
    log.signed = vec![3];
    log
}

fn kinds(verdict: &FleetVerdict) -> Vec<(FindingKind, Class)> {
    verdict.findings.iter().map(|found| (found.finding.kind, found.finding.class)).collect()
}

#[test]
fn a_state_holds_name_place_size_and_newest_checkpoint() {
    let state = state();
    let seen: Vec<_> = state.logs().map(|(name, seen)| (name.to_owned(), seen.location.clone(), seen.size)).collect();
    let (one, other) = (format!("{ORIGIN}/{LOG_ID}"), format!("{ORIGIN}/{OTHER_ID}"));
    assert_eq!(seen, [(one, "a".to_owned(), 11), (other, "b".to_owned(), 3)]);
    let (_, seen) = state.logs().next().expect("a log");
    assert_eq!(seen.checkpoint, Some(Log::sample().checkpoint(11)));
}

#[test]
fn a_state_is_read_as_it_was_written() {
    let state = state();
    let text = state.to_text();
    assert_eq!(FleetState::parse(&text), Ok(state));
    assert_eq!(text.lines().count(), 3);
    assert_eq!(FleetState::parse(&FleetState::default().to_text()), Ok(FleetState::default()));
}

#[test]
fn a_log_that_is_gone_has_vanished_and_stays_vanished() {
    let before = state();
    let verdict = run([at("a", &Log::sample().write())], before.clone());
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(kinds(&verdict), [(FindingKind::Vanished, Class::Tamper)]);
    assert_eq!(verdict.findings[0].log, Some(format!("{ORIGIN}/{OTHER_ID}")));
    assert_eq!(verdict.state, before);
    let verdict = run([at("a", &Log::sample().write())], verdict.state);
    assert_eq!(kinds(&verdict), [(FindingKind::Vanished, Class::Tamper)]);
}

#[test]
fn a_single_log_is_compared_with_its_own_past_only() {
    let run = |location: &str, log: &Log| {
        let disk = log.write();
        let key = key_of(LOG_ID).verifier().with_name(ORIGIN).expect("a name");
        Fleet::only(at(location, &disk)).key(key).earlier(state()).run()
    };
    let verdict = run("a", &Log::sample());
    assert_eq!((verdict.judgement(), kinds(&verdict)), (Judgement::Intact, vec![]));
    // Another log in its place.
    let verdict = run("b", &Log::sample());
    assert_eq!(kinds(&verdict), [(FindingKind::Vanished, Class::Tamper)]);
    assert_eq!(verdict.findings[0].log, Some(format!("{ORIGIN}/{OTHER_ID}")));
}

#[test]
fn whoever_lets_a_log_go_on_purpose_removes_its_line() {
    let text = state().to_text();
    let without: String =
        text.lines().filter(|line| !line.contains(OTHER_ID)).map(|line| format!("{line}\n")).collect();
    let verdict = run([at("a", &Log::sample().write())], FleetState::parse(&without).expect("a state"));
    assert_eq!((verdict.judgement(), kinds(&verdict)), (Judgement::Intact, vec![]));
}

#[test]
fn a_log_that_has_moved_has_not_vanished() {
    let verdict = run([at("elsewhere", &Log::sample().write()), at("b", &other().write())], state());
    assert_eq!(kinds(&verdict), []);
    assert_eq!(verdict.state.logs().next().map(|(_, seen)| seen.location.as_str()), Some("elsewhere"));
}

#[test]
fn a_log_that_cannot_be_read_has_not_vanished() {
    let dead = LogAt::new("b", || Err(ReadError::unavailable("asking", std::io::Error::other("nobody answers"))));
    let verdict = run([at("a", &Log::sample().write()), dead], state());
    assert_eq!((verdict.judgement(), kinds(&verdict)), (Judgement::Unverifiable, vec![]));
    assert_eq!(verdict.state, state());
}

#[test]
fn a_log_that_lost_signed_records_is_truncated() {
    let before = state();
    let mut log = Log::sample();
    log.lines.truncate(8);
    log.signed = vec![4, 8];
    log.segments = vec![0, 4];
    let verdict = run([at("a", &log.write()), at("b", &other().write())], before.clone());
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(kinds(&verdict), [(FindingKind::Truncated, Class::Tamper)]);
    assert_eq!((verdict.findings[0].finding.seq, verdict.findings[0].finding.to), (Some(8), Some(10)));
    // The verdict on the log itself says so too, and the state remembers what there was.
    assert_eq!(verdict.logs[0].verdict.findings[0].kind, FindingKind::Truncated);
    assert_eq!(verdict.state, before);
}

#[test]
fn a_log_that_lost_unsigned_records_is_a_warning_because_a_crash_may_do_that() {
    let mut log = Log::sample();
    log.signed = vec![4, 8];
    let before = run([at("a", &log.write())], FleetState::default()).state;
    log.lines.truncate(9);
    let verdict = run([at("a", &log.write())], before);
    assert_eq!(verdict.judgement(), Judgement::Intact);
    assert_eq!(kinds(&verdict), [(FindingKind::Truncated, Class::Warning)]);
}

#[test]
fn a_history_that_was_written_anew_contradicts_what_was_seen() {
    let before = state();
    let mut log = Log::sample();
    log.replace(3, "POST", "PUT_");
    log.rechain(4);
    let verdict = run([at("a", &log.write()), at("b", &other().write())], before.clone());
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(verdict.state, before);
}

#[test]
fn a_log_that_went_on_moves_the_state_forward() {
    let mut log = other();
    let before = run([at("b", &log.write())], FleetState::default()).state;
    log.call(1);
    log.signed.push(5);
    let verdict = run([at("b", &log.write())], before);
    assert_eq!((verdict.judgement(), kinds(&verdict)), (Judgement::Intact, vec![]));
    let (_, seen) = verdict.state.logs().next().expect("a log");
    assert_eq!((seen.size, seen.checkpoint.as_ref().map(|signed| signed.checkpoint().size)), (5, Some(5)));
}

#[test]
fn a_tampered_log_is_remembered_without_what_it_claims() {
    let mut log = Log::sample();
    let disk = log.write();
    log.replace(3, "POST", "PUT_");
    log.write_lines(disk.path());
    let verdict = run([at("a", &disk)], FleetState::default());
    let (_, seen) = verdict.state.logs().next().expect("a log");
    assert_eq!((seen.size, &seen.checkpoint), (0, &None));
}

#[test]
fn a_comparison_that_shows_a_fork_keeps_the_state_as_it_was() {
    let mut log = Log::sample();
    log.lines.truncate(4);
    log.signed = vec![4];
    log.segments = vec![0];
    let before = run([at("a", &log.write())], FleetState::default()).state;
    // Whoever has the key writes a longer history that extends what was seen, and signs it.
    let mut forged = Log::sample();
    forged.replace(7, "POST", "PUT_");
    forged.rechain(8);
    let verdict = run([at("a", &Log::sample().write()), at("b", &forged.write())], before.clone());
    assert_eq!(verdict.judgement(), Judgement::Tampered);
    assert_eq!(kinds(&verdict)[0], (FindingKind::Forked, Class::Tamper));
    assert_eq!(verdict.state, before, "nobody knows yet which of the two is good");
    // The good one is put back, and is not accused.
    let verdict = run([at("a", &Log::sample().write())], verdict.state);
    assert_eq!((verdict.judgement(), kinds(&verdict)), (Judgement::Intact, vec![]));
    assert_eq!(verdict.state.logs().next().map(|(_, seen)| seen.size), Some(11));
}

#[test]
fn what_lay_below_a_place_that_is_now_a_log_has_vanished() {
    let fleet = run([at("logs/a", &Log::sample().write()), at("logs/b", &other().write())], FleetState::default());
    let key = key_of(LOG_ID).verifier().with_name(ORIGIN).expect("a name");
    let now = Log::sample().write();
    let verdict = Fleet::only(at("logs", &now)).key(key).earlier(fleet.state).run();
    assert_eq!(kinds(&verdict), [(FindingKind::Vanished, Class::Tamper)]);
    assert_eq!(verdict.findings[0].locations, ["logs/b"]);
}

#[test]
fn of_what_an_earlier_run_saw_only_what_was_where_one_looks_can_be_gone() {
    let verify = |under: &str| kinds(&Fleet::of([]).under(under).earlier(state()).run());
    assert_eq!(verify("a"), [(FindingKind::Vanished, Class::Tamper)]);
    assert_eq!(verify("nowhere"), [(FindingKind::Unverifiable, Class::Warning)]);
}

#[test]
fn the_place_of_a_log_is_kept_as_it_is_known_and_not_as_it_was_spelled() {
    let log = Log::sample().write();
    let before = run([at("./a/", &log).known_as("/logs/a")], FleetState::default()).state;
    assert_eq!(before.logs().next().map(|(_, seen)| seen.location.as_str()), Some("/logs/a"));
    let key = key_of(LOG_ID).verifier().with_name(ORIGIN).expect("a name");
    let verdict = Fleet::only(at("a", &other().write()).known_as("/logs/a")).key(key).earlier(before).run();
    assert_eq!(kinds(&verdict), [(FindingKind::Vanished, Class::Tamper)]);
}

#[test]
fn merged_states_keep_what_is_further_on_of_each_log() {
    let mut log = other();
    let short = run([at("b", &log.write())], FleetState::default()).state;
    log.call(1);
    log.signed.push(5);
    let long = run([at("b", &log.write())], FleetState::default()).state;
    let alone = run([at("a", &Log::sample().write())], FleetState::default()).state;
    for (one, other) in [(&short, &long), (&long, &short)] {
        let merged = one.clone().merge(other.clone());
        assert_eq!(&merged, &long);
        let both = merged.merge(alone.clone());
        assert_eq!(both.logs().map(|(_, seen)| seen.size).collect::<Vec<_>>(), [11, 5]);
    }
}

#[test]
fn what_is_no_state_is_refused_with_its_line() {
    let good = state().to_text();
    let line = good.lines().nth(1).expect("a line");
    let head = "{\"fleet_state\":1}\n";
    let cases = [
        (String::new(), 1, "begins with"),
        ("garbage\n".to_owned(), 1, "begins with"),
        ("{\"fleet_state\":2}\n".to_owned(), 1, "begins with"),
        (format!("{head}garbage\n"), 2, "expected value"),
        (format!("{head}\n"), 2, "EOF"),
        (format!("{head}{line}\n{line}\n"), 3, "comes twice"),
        (format!("{head}{line}"), 2, "cut short"),
        (format!("{head}{}\n", line.replace("\"size\":11", "\"size\":5")), 2, "but its checkpoint signs 11"),
        (format!("{head}{}\n", line.replace("\"size\":11", "\"size\":-1")), 2, "invalid"),
        (format!("{head}{}\n", line.replacen(LOG_ID, OTHER_ID, 1)), 2, "is of"),
        (format!("{head}{}\n", line.replace("\"size\"", "\"sise\"")), 2, "unknown field"),
        (format!("{head}{}\n", line.replace("\\n\\n", "\\n")), 2, "the checkpoint of"),
    ];
    for (text, line, why) in cases {
        let error = FleetState::parse(&text).expect_err(&text);
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.to_string().contains(why), "{text}: {error}");
    }
}

#[test]
fn a_state_of_more_than_256_mib_is_refused() {
    let error = FleetState::parse(&" ".repeat((256 << 20) + 1)).expect_err("too long");
    assert!(error.to_string().contains("longer than 256 MiB"), "{error}");
}

proptest! {
    #[test]
    fn a_state_with_a_byte_changed_is_another_state_or_none_and_never_a_panic(at in 0_usize..2_000, byte in 0_u8..128) {
        let mut bytes = state().to_text().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(state) = FleetState::parse(&text) {
            prop_assert_eq!(FleetState::parse(&state.to_text()), Ok(state));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*", lines in proptest::collection::vec("[ -~]{0,60}", 0..5)) {
        let _ = FleetState::parse(&text);
        let _ = FleetState::parse(&format!("{{\"fleet_state\":1}}\n{}\n", lines.join("\n")));
    }
}
