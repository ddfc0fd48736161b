//! TEMPORARY stub; replaced by the real log.
#![allow(missing_docs, missing_debug_implementations, clippy::unwrap_used)]
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use crate::record::*;

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<Vec<String>>,
    refuse: AtomicBool,
    exclude: AtomicBool,
}

#[derive(Clone, Debug)]
pub struct AuditLog(Arc<Shared>);

#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refused {
    Deadline,
    Closed,
}
impl Refused {
    pub const fn reason(&self) -> &'static str {
        "deadline"
    }
    pub const fn retry_after(&self) -> Duration {
        Duration::from_secs(1)
    }
}
impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("refused")
    }
}
impl std::error::Error for Refused {}

impl AuditLog {
    pub fn stub() -> Self {
        Self(Arc::default())
    }
    pub fn stub_refuse(&self, refuse: bool) {
        self.0.refuse.store(refuse, Ordering::SeqCst);
    }
    pub fn stub_exclude(&self, exclude: bool) {
        self.0.exclude.store(exclude, Ordering::SeqCst);
    }
    pub fn stub_lines(&self) -> Vec<String> {
        self.0.lines.lock().unwrap().clone()
    }
    pub fn begin(&self, event: &Event<'_>) -> Begin {
        let id = ActivityId::new(SystemTime::now());
        let frame = EventFrame {
            kind: Kind::Intent,
            id,
            time: SystemTime::now(),
            parent: CURRENT.with(|c| c.borrow().last().map(|c| c.0.id)),
            policy: "default",
        };
        let body = encode_event(event, &frame, &RecordLimits::default());
        Begin { log: self.clone(), id, body, yielded: false }
    }
}

#[derive(Debug)]
pub struct Begin {
    log: AuditLog,
    id: ActivityId,
    body: Vec<u8>,
    yielded: bool,
}
impl Future for Begin {
    type Output = Result<Activity, Refused>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.yielded {
            self.yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.log.0.refuse.load(Ordering::SeqCst) {
            return Poll::Ready(Err(Refused::Deadline));
        }
        let recorded = !self.log.0.exclude.load(Ordering::SeqCst);
        if recorded {
            let line = format!("{{{}", String::from_utf8(std::mem::take(&mut self.body)).unwrap());
            self.log.0.lines.lock().unwrap().push(line);
        }
        Poll::Ready(Ok(Activity {
            log: recorded.then(|| self.log.clone()),
            started: Instant::now(),
            panicked: false,
            current: CurrentActivity(Arc::new(Inner { id: self.id, amend: Mutex::default() })),
        }))
    }
}

#[derive(Debug, Default)]
struct Amend {
    finished: bool,
    resource: Option<String>,
    actor: Option<Actor>,
    attributes: Vec<(Cow<'static, str>, Value<'static>)>,
}
#[derive(Debug)]
struct Inner {
    id: ActivityId,
    amend: Mutex<Amend>,
}
#[derive(Clone, Debug)]
pub struct CurrentActivity(Arc<Inner>);
#[derive(Clone, Copy, Debug)]
pub enum AmendError {
    Finished,
    Full,
}
thread_local! { static CURRENT: std::cell::RefCell<Vec<CurrentActivity>> = const { std::cell::RefCell::new(Vec::new()) }; }
impl CurrentActivity {
    pub fn id(&self) -> Option<ActivityId> {
        Some(self.0.id)
    }
    pub fn get() -> Option<Self> {
        CURRENT.with(|c| c.borrow().last().cloned())
    }
    pub fn enter(&self) -> Entered {
        CURRENT.with(|c| c.borrow_mut().push(self.clone()));
        Entered(std::marker::PhantomData)
    }
    fn amend(&self, f: impl FnOnce(&mut Amend)) -> Result<(), AmendError> {
        let mut a = self.0.amend.lock().unwrap();
        if a.finished {
            return Err(AmendError::Finished);
        }
        f(&mut a);
        Ok(())
    }
    pub fn resource(&self, r: impl AsRef<str>) -> Result<(), AmendError> {
        self.amend(|a| a.resource = Some(r.as_ref().to_owned()))
    }
    pub fn actor(&self, r: Actor) -> Result<(), AmendError> {
        self.amend(|a| a.actor = Some(r))
    }
    pub fn attribute(&self, n: impl Into<Cow<'static, str>>, v: impl Into<Value<'static>>) -> Result<(), AmendError> {
        self.amend(|a| a.attributes.push((n.into(), v.into())))
    }
}
#[derive(Debug)]
pub struct Entered(std::marker::PhantomData<*const ()>);
impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with(|c| c.borrow_mut().pop());
    }
}

#[derive(Debug)]
pub struct Activity {
    log: Option<AuditLog>,
    started: Instant,
    panicked: bool,
    current: CurrentActivity,
}
impl Activity {
    pub fn is_recorded(&self) -> bool {
        self.log.is_some()
    }
    pub fn current(&self) -> CurrentActivity {
        self.current.clone()
    }
    pub fn mark_panicked(&mut self) {
        self.panicked = true;
    }
    pub fn finish(mut self, outcome: Outcome<'_>) {
        self.write(&outcome);
    }
    fn write(&mut self, outcome: &Outcome<'_>) {
        let mut amend = self.current.0.amend.lock().unwrap();
        amend.finished = true;
        let Some(log) = self.log.take() else { return };
        let frame = OutcomeFrame {
            id: self.current.0.id,
            time: SystemTime::now(),
            latency: self.started.elapsed(),
            actor: amend.actor.as_ref(),
            resource: amend.resource.as_deref(),
            attributes: &amend.attributes,
        };
        let body = encode_outcome(outcome, &frame, &RecordLimits::default(), 65_535);
        log.0.lines.lock().unwrap().push(format!("{{{}", String::from_utf8(body).unwrap()));
    }
}
impl Drop for Activity {
    fn drop(&mut self) {
        let result = if self.panicked { OutcomeResult::Panicked } else { OutcomeResult::Cancelled };
        self.write(&Outcome::new(result));
    }
}
