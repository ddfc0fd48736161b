//! Reading a log with all cores, and putting the results in order again.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::chunk::{Chunk, Chunks};
use super::examine::{Examined, Examiner};
use super::{LineSource, ReadError};

/// How many chunks a worker may be ahead of the one whose turn it is. Bounds the memory.
const AHEAD: u64 = 8;

/// Examines all chunks of `source` on `threads` threads and gives them to `take` in order, with
/// the number of bytes that have been read by then. `marks` are the sizes that are signed.
pub(crate) fn scan(
    source: Box<dyn LineSource>,
    marks: &[u64],
    threads: NonZero<usize>,
    mut take: impl FnMut(Examined, u64),
) -> Result<(), ReadError> {
    let chunks = Mutex::new(Chunks::new(source));
    let line = Line::new(threads.get());
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| {
                let _leaving = Leaving(&line);
                work(&chunks, marks, &line);
            });
        }
        let _closing = Closing(&line);
        while let Some(examined) = line.take() {
            let bytes = line.bytes();
            take(examined, bytes);
        }
    });
    let error = lock(&line.state).error.take();
    error.map_or(Ok(()), Err)
}

fn work(chunks: &Mutex<Chunks>, marks: &[u64], line: &Line) {
    let mut examiner = Examiner::new(marks);
    let mut chunk = Chunk::default();
    loop {
        let mut source = lock(chunks);
        let read = source.next(&mut chunk);
        let bytes = source.bytes;
        drop(source);
        match read {
            Ok(true) => {
                if !line.give(examiner.examine(&mut chunk), bytes) {
                    return;
                }
            }
            Ok(false) => return,
            Err(error) => {
                line.fail(error);
                return;
            }
        }
    }
}

/// Where results wait for their turn.
#[derive(Debug)]
struct Line {
    state: Mutex<State>,
    /// A result came, or a worker left.
    came: Condvar,
    /// The turn moved on, or nobody takes results any more.
    moved: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: BTreeMap<u64, Examined>,
    turn: u64,
    workers: usize,
    closed: bool,
    bytes: u64,
    error: Option<ReadError>,
}

impl Line {
    fn new(workers: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: BTreeMap::new(),
                turn: 0,
                workers,
                closed: false,
                bytes: 0,
                error: None,
            }),
            came: Condvar::new(),
            moved: Condvar::new(),
        }
    }

    /// Hands in a result; `false` when nobody takes results any more.
    fn give(&self, examined: Examined, bytes: u64) -> bool {
        let mut state = lock(&self.state);
        while examined.index > state.turn + AHEAD && !state.closed {
            state = wait(&self.moved, state);
        }
        state.bytes = state.bytes.max(bytes);
        let its_turn = examined.index == state.turn;
        state.waiting.insert(examined.index, examined);
        if its_turn {
            self.came.notify_one();
        }
        !state.closed
    }

    /// The next result in order; `None` when all workers have left and it is not there.
    fn take(&self) -> Option<Examined> {
        let mut state = lock(&self.state);
        loop {
            let turn = state.turn;
            if let Some(examined) = state.waiting.remove(&turn) {
                state.turn += 1;
                self.moved.notify_all();
                return Some(examined);
            }
            if state.workers == 0 {
                return None;
            }
            state = wait(&self.came, state);
        }
    }

    /// Ends the work: without the chunk that could not be read, no later one has its turn.
    fn fail(&self, error: ReadError) {
        let mut state = lock(&self.state);
        state.error.get_or_insert(error);
        state.closed = true;
        self.moved.notify_all();
    }

    fn bytes(&self) -> u64 {
        lock(&self.state).bytes
    }
}

/// Counts a worker out, also one that panics.
struct Leaving<'l>(&'l Line);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).workers -= 1;
        self.0.came.notify_one();
    }
}

/// Lets the workers go, also when the one that takes their results panics.
struct Closing<'l>(&'l Line);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).closed = true;
        self.0.moved.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'s>(condition: &Condvar, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}
