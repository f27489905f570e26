//! `loadgate compare`: `check` with the baseline first, and without need of a gate.

use std::io::Write;

use super::{Failure, check};
use crate::cli::Compare;

/// Runs `check` on the current run against the baseline; the answer is the exit code.
pub fn run(args: &Compare, stdout: &mut dyn Write) -> Result<u8, Failure> {
    let mut args = args.check.clone();
    let base = args.runs.remove(0);
    args.baseline.insert(0, base);
    check::run(&args, check::Purpose::Compare, stdout)
}
