//! How far a long run has come: one line on standard error, only on a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// The line is rewritten at most this often.
const EVERY: Duration = Duration::from_millis(200);
/// Responses between two looks at the clock, which costs as much as a line of the log.
const LOOKS: u64 = 4096;

/// The line, if there is a terminal to show it on. What it shows never reaches a file.
pub struct Progress {
    shown: Option<Instant>,
    responses: u64,
}

impl Progress {
    /// Shows nothing where standard error is not a terminal.
    pub fn new() -> Self {
        Self {
            shown: std::io::stderr().is_terminal().then(Instant::now),
            responses: 0,
        }
    }

    /// One more response, `at_us` after the run's start.
    pub fn response(&mut self, at_us: u64) {
        self.responses += 1;
        if self.responses.is_multiple_of(LOOKS)
            && self.shown.is_some_and(|shown| shown.elapsed() >= EVERY)
        {
            self.shown = Some(Instant::now());
            let (count, seconds) = (self.responses, at_us / 1_000_000);
            rewrite(&format!("{count} requests, {seconds} s of the run"));
        }
    }

    /// Takes the line away.
    pub fn finish(self) {
        if self.shown.is_some() {
            rewrite("");
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

fn rewrite(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // A terminal that went away takes only this line with it.
    let _ = write!(stderr, "\r{text:<60}\r").and_then(|()| stderr.flush());
}
