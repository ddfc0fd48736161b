//! The demo, which checks itself.

use std::process::Command;

#[test]
fn the_demo_shows_the_whole_story_and_every_attempt_comes_out_as_it_should() {
    let demo = Command::new(env!("CARGO_BIN_EXE_demo")).output().unwrap();
    let said = String::from_utf8(demo.stdout).unwrap();
    assert!(demo.status.success(), "{said}{}", String::from_utf8_lossy(&demo.stderr));
    for expected in [
        "payments/settler",
        "analytics/reporter",
        "operations/sweeper",
        "verdict: intact",
        "the proof checks",
        "Every attempt came out as it should.",
    ] {
        assert!(said.contains(expected), "does not say {expected:?}: {said}");
    }
}
