//! Ctrl-C and a job that is ended: the program stops, and its temporary files go with it.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

/// What a shell shows for a program that Ctrl-C ended: 128 + SIGINT.
pub const EXIT_INTERRUPTED: i32 = 130;

/// Every temporary file this process made. One that got its final name is no longer there under this one.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn temporary() -> MutexGuard<'static, Vec<PathBuf>> {
    // A thread that panicked while it added a path left a list that is still good.
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a temporary file that an interruption takes away. None is made while one is going on.
pub fn remember(make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<NamedTempFile> {
    let mut all = temporary();
    let file = make()?;
    all.push(file.path().to_owned());
    Ok(file)
}

/// From now on Ctrl-C, SIGTERM and SIGHUP remove what is half written and end the program.
pub fn watch() {
    // A signal that whoever started us has ignored (`nohup`) stays ignored; the others then have no handler either: they end
    // the program all the same, and leave the temporary files.
    let _ = ctrlc::try_set_handler(|| {
        // Held to the end, so that no other thread makes another file.
        let all = temporary();
        for path in all.iter() {
            let _ = std::fs::remove_file(path);
        }
        leave();
    });
}

#[expect(
    clippy::exit,
    reason = "a signal ends the program wherever it is; what has to be put away was put away"
)]
fn leave() -> ! {
    std::process::exit(EXIT_INTERRUPTED)
}
