//! How far long work has come: a bar on standard error, only on a terminal and never in CI.

use std::io::{IsTerminal, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::units::Unit;

/// Work that takes less shows nothing.
const PATIENCE: Duration = Duration::from_millis(400);
const BYTES: &str =
    "{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
const BYTES_OF_UNKNOWN: &str = "{msg} {decimal_bytes}  {decimal_bytes_per_sec}";
const COUNT: &str = "{msg} {wide_bar} {human_pos}/{human_len}  {rate}  {eta} left";

/// A bar, or nothing. Clones move the same bar; what it shows never reaches a file.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// Whether nobody sees it: there is no terminal, or its time has not come.
    is_hidden: Arc<AtomicBool>,
    /// Whether somebody may see it.
    is_watched: bool,
}

impl Default for Progress {
    /// Shows nothing.
    fn default() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            is_hidden: Arc::new(AtomicBool::new(true)),
            is_watched: false,
        }
    }
}

impl Progress {
    /// A bar where somebody looks at standard error.
    pub fn new() -> Self {
        Self {
            is_watched: std::io::stderr().is_terminal() && std::env::var_os("CI").is_none(),
            ..Self::default()
        }
    }

    /// Begins to read so many bytes; `None` where that cannot be known.
    pub fn begin_bytes(&self, total: Option<u64>) {
        let template = if total.is_some() {
            BYTES
        } else {
            BYTES_OF_UNKNOWN
        };
        self.begin("reading", total, template);
    }

    /// Begins work on so many things.
    pub fn begin_count(&self, what: &'static str, total: u64) {
        self.begin(what, Some(total), COUNT);
    }

    fn begin(&self, message: &'static str, total: Option<u64>, template: &str) {
        if !self.is_watched {
            return;
        }
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_message(message);
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.with_key("rate", rate));
        }
        self.bar.reset();
    }

    /// So much more is done.
    pub fn advance(&self, step: u64) {
        if !self.is_watched {
            return;
        }
        self.bar.inc(step);
        if self.bar.elapsed() >= PATIENCE && self.is_hidden.swap(false, Ordering::Relaxed) {
            self.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// A reader whose bytes move the bar.
    pub fn watch<R: Read>(&self, inner: R) -> Watched<R> {
        Watched {
            inner,
            progress: self.clone(),
        }
    }
}

fn rate(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    // A terminal that went away takes only the bar with it.
    let _ = text.write_str(&Unit::PerSecond.human(state.per_sec()));
}

/// See [`Progress::watch`].
pub struct Watched<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_one() {
        for template in [BYTES, BYTES_OF_UNKNOWN, COUNT] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        let mut read = Vec::new();
        let progress = Progress::default();
        progress.begin_bytes(Some(3));
        progress
            .watch(&b"abc"[..])
            .read_to_end(&mut read)
            .expect("reads");
        progress.finish();
        assert_eq!(read, b"abc");
    }
}
