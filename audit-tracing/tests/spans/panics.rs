//! Unwinding, and what only looks like it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::{Instrument as _, info_span, instrument};

use crate::support::{outcome, record, runtime};

fn catch(work: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
}

#[instrument(ret, fields(audit.action = "returns"))]
fn returns() {}

#[test]
fn a_span_that_is_left_by_unwinding_panicked() {
    #[instrument(ret, fields(audit.action = "function"))]
    fn panics() {
        panic!("scripted panic")
    }
    let records = record(|_| {
        let span = info_span!("span", audit.action = "span", audit.result = "success");
        catch(|| span.in_scope(|| panic!("scripted panic")));
        span.in_scope(|| ());
        catch(panics);
    });
    assert_eq!(outcome(&records, "span")["result"], "panicked");
    assert_eq!(outcome(&records, "function")["result"], "panicked");
}

#[test]
fn a_task_that_panics_panicked_whoever_catches_it() {
    let records = record(|_| {
        runtime().block_on(async {
            let work = async {
                tokio::task::yield_now().await;
                panic!("scripted panic");
            };
            let task = tokio::spawn(work.instrument(info_span!("task", audit.action = "task")));
            assert!(task.await.unwrap_err().is_panic());
        });
    });
    assert_eq!(outcome(&records, "task")["result"], "panicked");
}

#[test]
fn a_panic_caught_inside_is_not_that_of_the_span_around_it() {
    #[instrument(ret, fields(audit.action = "outer"))]
    fn outer() {
        catch(|| info_span!("inner", audit.action = "inner").in_scope(|| panic!("scripted panic")));
    }
    let records = record(|_| outer());
    assert_eq!(outcome(&records, "inner")["result"], "panicked");
    assert_eq!(outcome(&records, "outer")["result"], "success");
}

#[test]
fn what_runs_while_another_unwinds_has_not_panicked() {
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            returns();
        }
    }
    let records = record(|_| {
        catch(|| {
            let _cleanup = Cleanup;
            let _future = async { returns() }.instrument(info_span!("given up", audit.action = "given up"));
            panic!("scripted panic");
        });
    });
    assert_eq!(outcome(&records, "returns")["result"], "success");
    assert_eq!(outcome(&records, "given up")["result"], "unknown");
}
