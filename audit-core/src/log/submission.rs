use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::demand::Demand;
use super::shared::lock;
use super::tightening::{Later, Tightened};
use super::{Receipt, Refused};
use crate::policy::{OnFailure, Rule};
use crate::record::{ActivityId, Actor, RecordLimits, Value};

/// Which record a submission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The intent of a call.
    Intent,
    /// The outcome of a call, which lands whether its caller waits or not.
    Outcome,
    /// A single-shot event.
    Event,
}

/// One record on its way into the log, shared by its caller, the queue and the log's threads.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) id: ActivityId,
    pub(crate) rule: Arc<Rule>,
    pub(crate) demand: Demand,
    pub(crate) started: Instant,
    pub(crate) deadline: Instant,
    pub(crate) role: Role,
    pub(crate) limits: RecordLimits,
    /// Of an intent, where the policy asks who calls: what is needed to decide again.
    pub(crate) later: Option<Box<Later>>,
    /// Whether room for an outcome is set aside for it.
    pub(crate) reserved: AtomicBool,
    /// Whether its call goes ahead without waiting for it, deadline or not.
    goes_ahead: AtomicBool,
    state: Mutex<State>,
    pub(crate) amendments: Mutex<Amendments>,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    /// Whether it is in the log.
    landed: bool,
    waker: Option<Waker>,
}

/// Where a submission is. The queue's lock is not needed to move on.
#[derive(Clone, Debug)]
enum Stage {
    /// In the queue; may still be withdrawn.
    Queued,
    /// With the sequencer; may land whatever its caller does now.
    Taken,
    /// Out of the queue by its caller or its deadline: the sequencer skips it.
    Withdrawn,
    /// Taken, and its caller no longer waits.
    Abandoned,
    /// The caller has, or can collect, this answer.
    Answered(Result<Receipt, Refused>),
}

/// What handlers added to an activity; it lands in the outcome.
#[derive(Debug, Default)]
pub(crate) struct Amendments {
    pub(crate) finished: bool,
    pub(crate) resource: Option<String>,
    pub(crate) actor: Option<Actor>,
    /// The stricter rule that the actor brought.
    pub(crate) tightened: Option<Tightened>,
    pub(crate) attributes: Vec<(Cow<'static, str>, Value<'static>)>,
}

/// What became of a submission that its deadline, its caller or a failure ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is certain that it is not in the log.
    Lost,
    /// It is with the sequencer and may land.
    MayLand,
    /// It is in the log, and its caller never collected the answer.
    Landed,
    /// It had been answered before.
    Already,
}

/// What a landed record means to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// The caller has its receipt.
    Answered,
    /// The caller did not wait, and went on without a receipt as its rule allows.
    WentOn,
    /// The caller did not wait, and its handler never ran.
    NeverRan,
}

/// What the sequencer does with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// Appends it.
    Append,
    /// Skips it: its caller is gone, and with it the need for room for an outcome.
    Skip,
    /// Skips it: its call went ahead without it, and will have an outcome.
    SkipAndKeepRoom,
}

/// What becomes of an entry whose append did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutBack {
    /// It is tried again.
    Waits,
    /// Nobody waits for it any more; its call went ahead or not.
    Gone {
        /// Whether it went ahead.
        ran: bool,
    },
}

impl Submission {
    /// A submission whose deadline, from now on, is that of `rule`.
    pub(crate) fn new(id: ActivityId, rule: Arc<Rule>, role: Role, limits: RecordLimits) -> Self {
        let started = Instant::now();
        Self {
            id,
            demand: Demand { wanted: rule.durability(), copies: rule.copies() },
            started,
            deadline: started + rule.deadline(),
            rule,
            role,
            limits,
            later: None,
            reserved: AtomicBool::new(false),
            goes_ahead: AtomicBool::new(false),
            state: Mutex::new(State { stage: Stage::Queued, landed: false, waker: None }),
            amendments: Mutex::new(Amendments::default()),
        }
    }

    /// The outcome of the intent that this is, for whoever waits for it.
    pub(crate) fn outcome(&self, tightened: Option<&Tightened>) -> Self {
        let rule = tightened.map_or(&self.rule, |tightened| &tightened.rule);
        let mut outcome = Self::new(self.id, Arc::clone(rule), Role::Outcome, self.limits);
        outcome.demand = tightened.map_or(self.demand, |tightened| tightened.demand);
        outcome
    }

    /// Whether the call goes ahead when its record is not in the log.
    pub(crate) fn allows_failure(&self) -> bool {
        self.rule.on_failure() == OnFailure::Allow || self.goes_ahead()
    }

    /// Whether the call has gone ahead already: no deadline applies to its record.
    pub(crate) fn goes_ahead(&self) -> bool {
        self.goes_ahead.load(Ordering::Acquire)
    }

    /// Says that the call goes ahead without waiting.
    pub(crate) fn go_ahead(&self) {
        self.goes_ahead.store(true, Ordering::Release);
    }

    /// Gives up the room for an outcome; true when it was there.
    pub(crate) fn give_up_reservation(&self) -> bool {
        self.reserved.swap(false, Ordering::AcqRel)
    }

    /// Remembers whom to wake. Called before the submission enters the queue.
    pub(crate) fn wake_by(&self, waker: &Waker) {
        let replaced = lock(&self.state).waker.replace(waker.clone());
        drop(replaced);
    }

    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Result<Receipt, Refused>> {
        let mut state = lock(&self.state);
        if let Stage::Answered(answer) = &state.stage {
            return Poll::Ready(answer.clone());
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            let replaced = state.waker.replace(cx.waker().clone());
            // Dropping a waker may drop the task that waits here, which takes this lock.
            drop(state);
            drop(replaced);
        }
        Poll::Pending
    }

    /// The sequencer takes it, unless it has been withdrawn. An outcome is appended in any case.
    pub(crate) fn take(&self) -> Take {
        let mut state = lock(&self.state);
        match state.stage {
            Stage::Queued => {
                state.stage = Stage::Taken;
                Take::Append
            }
            _ if self.role == Role::Outcome => Take::Append,
            Stage::Answered(_) if self.allows_failure() => Take::SkipAndKeepRoom,
            _ => Take::Skip,
        }
    }

    /// Its append did not happen.
    pub(crate) fn put_back(&self) -> PutBack {
        let mut state = lock(&self.state);
        match state.stage {
            Stage::Taken | Stage::Queued => {
                state.stage = Stage::Queued;
                PutBack::Waits
            }
            _ if self.role == Role::Outcome => PutBack::Waits,
            Stage::Answered(_) => PutBack::Gone { ran: self.allows_failure() },
            Stage::Withdrawn | Stage::Abandoned => {
                state.stage = Stage::Withdrawn;
                PutBack::Gone { ran: false }
            }
        }
    }

    /// It is in the log, as durable as its rule asks.
    pub(crate) fn land(&self, receipt: Receipt) -> Landing {
        self.settle(Ok(receipt))
    }

    /// It is in the log, and not as durable as its rule asks by its deadline.
    pub(crate) fn land_late(&self, refused: Refused) -> Landing {
        self.settle(Err(refused))
    }

    fn settle(&self, answer: Result<Receipt, Refused>) -> Landing {
        let mut state = lock(&self.state);
        state.landed = true;
        let late = answer.is_err();
        match state.stage {
            Stage::Taken => {}
            Stage::Answered(Err(_)) if self.allows_failure() => return Landing::WentOn,
            Stage::Answered(Ok(_)) => return Landing::WentOn,
            _ => return Landing::NeverRan,
        }
        state.stage = Stage::Answered(answer);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        match late {
            false => Landing::Answered,
            true if self.allows_failure() => Landing::WentOn,
            true => Landing::NeverRan,
        }
    }

    /// Its caller gets `refused`, unless it has an answer already.
    ///
    /// `may_land`: whether a submission that the sequencer has can still get into the log.
    pub(crate) fn refuse(&self, refused: Refused, may_land: bool) -> Ended {
        let mut state = lock(&self.state);
        let ended = match state.stage {
            Stage::Queued => Ended::Lost,
            Stage::Taken if may_land => Ended::MayLand,
            Stage::Taken => Ended::Lost,
            _ => return Ended::Already,
        };
        state.stage = Stage::Answered(Err(refused));
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        ended
    }

    /// Its caller went away.
    pub(crate) fn withdraw(&self) -> Ended {
        let mut state = lock(&self.state);
        state.waker = None;
        match state.stage {
            Stage::Queued => {
                state.stage = Stage::Withdrawn;
                Ended::Lost
            }
            Stage::Taken => {
                state.stage = Stage::Abandoned;
                Ended::MayLand
            }
            Stage::Answered(Ok(_)) => Ended::Landed,
            // A rule that denies has had its `refused` outcome already.
            Stage::Answered(Err(_)) if state.landed && self.allows_failure() => Ended::Landed,
            Stage::Answered(Err(_)) => {
                // It may still land, and then nobody is there who went on.
                state.stage = Stage::Abandoned;
                Ended::Already
            }
            Stage::Withdrawn | Stage::Abandoned => Ended::Already,
        }
    }
}
