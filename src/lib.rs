//! loadgate judges a load test after it ran.
//!
//! 1. [`input`] reads what the test left behind and counts it in a
//! 2. [`tally`], the one mergeable value; from it comes a
//! 3. [`summary`] of plain figures;
//! 4. [`gate`]s, read by [`config`], are judged on it;
//! 5. summary and verdicts are the [`analysis`],
//! 6. which [`report`]s show, and whose [`outcome`] is the exit code.
//!
//! Beside the pipeline, [`generate`] makes runs to try it on.

#![cfg_attr(
    test,
    expect(clippy::float_cmp, reason = "hand-computed values are exact")
)]

pub mod analysis;
mod atomic;
pub mod cli;
pub mod commands;
pub mod comparison;
pub mod config;
pub mod diagnostic;
pub mod gate;
pub mod generate;
pub mod history;
pub mod input;
pub mod metric;
pub mod outcome;
mod parallel;
pub mod report;
pub mod summary;
pub mod tally;
pub mod units;
