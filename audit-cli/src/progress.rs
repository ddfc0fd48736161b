//! How far the work has come, for whoever waits at a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use audit_core::verify::Progress;

/// How often the line is drawn, and how long nothing is drawn at first.
const PAUSE: Duration = Duration::from_millis(150);

/// A line on standard error that is drawn again and again; nothing when that is no terminal.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    shown: bool,
    total: Option<u64>,
    started: Instant,
    next: Instant,
    drawn: bool,
}

impl ProgressLine {
    /// A line for a log of about `total` bytes.
    pub(crate) fn new(total: Option<u64>) -> Self {
        let started = Instant::now();
        Self { shown: io::stderr().is_terminal(), total, started, next: started + PAUSE, drawn: false }
    }

    pub(crate) fn show(&mut self, progress: Progress) {
        let now = Instant::now();
        if !self.shown || now < self.next {
            return;
        }
        self.next = now + PAUSE;
        self.drawn = true;
        let megabytes = progress.bytes as f64 / 1e6;
        let rate = megabytes / now.duration_since(self.started).as_secs_f64();
        let share = match self.total {
            Some(total) if total > 0 => {
                format!("{:3.0} %  ", (progress.bytes as f64 / total as f64 * 100.0).min(100.0))
            }
            _ => String::new(),
        };
        let _ = write!(io::stderr(), "\r{share}{} records  {rate:.0} MB/s\x1b[K", progress.records);
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        if self.drawn {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
