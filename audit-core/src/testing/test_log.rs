use std::ops::Deref;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Faults, FaultyBackend};
use crate::backend::{Durability, Memory};
use crate::key::Key;
use crate::log::{AuditLog, Builder, OpenError};
use crate::policy::Policy;

/// How long an assertion waits for a record that is still on its way.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long nothing may happen before nothing more is expected: a batch is on its way to the
/// store for much less.
const QUIET: Duration = Duration::from_millis(100);

/// A log in memory, for the tests of whatever records into it.
///
/// Dereferences to [`AuditLog`]; clone that one into the service under test. Its store claims to
/// be `synced`, and can be made to fail, hang or fill through [`faults`](Self::faults).
///
/// ```
/// use audit_core::testing::TestLog;
/// use audit_core::{Actor, Event, Outcome, OutcomeResult};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = TestLog::open()?;
/// let event = Event::action("ledger.rotate").actor(Actor::service_account("settler"));
/// log.begin(&event).await?.finish(Outcome::new(OutcomeResult::Success));
/// log.assert_recorded("settler", "ledger.rotate", "success");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TestLog {
    log: AuditLog,
    memory: Memory,
    faults: Faults,
}

impl TestLog {
    /// Opens an empty log under the default policy: every call is recorded, or refused.
    ///
    /// Blocks for a few milliseconds; starts the threads of a log.
    ///
    /// # Errors
    ///
    /// As for any log: when no threads or random bytes can be had.
    pub fn open() -> Result<Self, OpenError> {
        Self::with_policy(Policy::default())
    }

    /// Opens an empty log under `policy`, whose rules may ask for `synced` at most.
    ///
    /// # Errors
    ///
    /// As for any log: when the policy asks for more than the store claims.
    pub fn with_policy(policy: Policy) -> Result<Self, OpenError> {
        Self::configured(|builder| builder.policy(policy))
    }

    /// Opens an empty log as `configure` describes it; its backend and key are set already.
    ///
    /// # Errors
    ///
    /// As for any log.
    pub fn configured(configure: impl FnOnce(Builder) -> Builder) -> Result<Self, OpenError> {
        let memory = Memory::promising(Durability::Synced);
        let (backend, faults) = FaultyBackend::new(memory.clone());
        let builder = AuditLog::builder("test.example").key(Key::generate("test.example")?).backend(backend);
        Ok(Self { log: configure(builder).open()?, memory, faults })
    }

    /// The store's faults, to be changed while the log is in use.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The store, which holds the lines as they are.
    #[must_use]
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// All records so far, the log's own included, in order.
    ///
    /// An outcome is recorded a moment after its activity ended: see
    /// [`settled`](Self::settled).
    ///
    /// # Panics
    ///
    /// When a line is not JSON, which would be a fault of this crate.
    #[must_use]
    #[track_caller]
    pub fn records(&self) -> Vec<Value> {
        let lines = self.memory.lines();
        lines.iter().map(|line| serde_json::from_slice(line).unwrap_or_else(|error| not_json(line, &error))).collect()
    }

    /// Waits until every activity that began has ended and nothing more comes, at most 5 s, then
    /// returns all records.
    #[must_use]
    #[track_caller]
    pub fn settled(&self) -> Vec<Value> {
        self.wait_for(|| false);
        self.records()
    }

    /// Asserts that `actor` did `action` and that it ended with `result`: an intent with that
    /// outcome, or an event. Waits up to 5 s for it.
    ///
    /// `actor` is the `id` of the actor, `result` a word such as `success` or `denied`.
    ///
    /// # Panics
    ///
    /// When there is no such record; the message lists those that there are.
    #[track_caller]
    pub fn assert_recorded(&self, actor: &str, action: &str, result: &str) {
        let is_there = || Call::all(&self.records()).iter().any(|call| call.is(actor, action, result));
        self.wait_for(is_there);
        if !is_there() {
            let calls: Vec<String> = Call::all(&self.records()).iter().map(Call::to_string).collect();
            panic!(
                "no record says that {actor:?} did {action:?} with result {result:?}; recorded are:\n{}",
                calls.join("\n")
            );
        }
    }

    /// Waits until `ready`, or until nothing has been going on for a while.
    fn wait_for(&self, ready: impl Fn() -> bool) {
        let give_up = Instant::now() + PATIENCE;
        let mut quiet = (self.memory.size(), Instant::now());
        while !ready() && Instant::now() < give_up {
            let health = self.log.health();
            let busy = health.open_activities > 0 || health.queue_depth > 0;
            let size = self.memory.size();
            if busy || size != quiet.0 {
                quiet = (size, Instant::now());
            } else if quiet.1.elapsed() >= QUIET {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Deref for TestLog {
    type Target = AuditLog;

    fn deref(&self) -> &AuditLog {
        &self.log
    }
}

/// One call as the records tell of it.
#[derive(Debug)]
struct Call {
    actor: String,
    action: String,
    result: Option<String>,
}

impl Call {
    /// The calls in `records`, each intent joined with its outcome.
    fn all(records: &[Value]) -> Vec<Self> {
        let word = |record: &Value, name: &str| record[name].as_str().map(str::to_owned);
        let of_kind = |kind: &'static str| records.iter().filter(move |record| record["kind"] == kind);
        let call = |record: &Value, end: Option<&Value>| Self {
            actor: word(&record["actor"], "id").unwrap_or_default(),
            action: word(record, "action").unwrap_or_default(),
            result: end.and_then(|end| word(end, "result")),
        };
        let intents = of_kind("intent").map(|intent| {
            let end = of_kind("outcome").find(|outcome| outcome["id"] == intent["id"]);
            call(intent, end)
        });
        intents.chain(of_kind("event").map(|event| call(event, Some(event)))).collect()
    }

    fn is(&self, actor: &str, action: &str, result: &str) -> bool {
        self.actor == actor && self.action == action && self.result.as_deref() == Some(result)
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { actor, action, result } = self;
        write!(f, "  {actor:?} did {action:?}: {}", result.as_deref().unwrap_or("no outcome yet"))
    }
}

#[track_caller]
fn not_json(line: &[u8], error: &serde_json::Error) -> Value {
    panic!("a line is not JSON: {error}: {}", String::from_utf8_lossy(line))
}
