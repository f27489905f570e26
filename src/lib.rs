//! loadgate judges a load test after it ran.
//!
//! 1. [`input`] reads what the test left behind and counts it in a
//! 2. [`tally`], the one mergeable value; from it comes a
//! 3. [`summary`] of plain figures;
//! 4. against a [`baseline`] it becomes a [`comparison`];
//! 5. [`gate`]s, read by [`config`], are judged on both;
//! 6. summary, comparison and verdicts are the [`analysis`],
//! 7. which [`report`]s show, and whose [`outcome`] is the exit code.
//!
//! Runs recorded in a [`history`] are followed by the [`trend`]. Beside the pipeline, [`generate`] makes runs to try it on;
//! [`init`] and [`migrate`] write the first gate file, and [`explain`] says what its words mean.

#![cfg_attr(
    test,
    expect(clippy::float_cmp, reason = "hand-computed values are exact")
)]

pub mod analysis;
mod atomic;
pub mod baseline;
pub mod ci;
pub mod cli;
pub mod commands;
pub mod comparison;
pub mod config;
pub mod diagnostic;
mod exact;
pub mod explain;
pub mod gate;
pub mod generate;
pub mod history;
pub mod init;
pub mod input;
pub mod interrupt;
pub mod limits;
pub mod metric;
pub mod migrate;
pub mod outcome;
mod parallel;
pub mod place;
pub mod progress;
pub mod report;
pub mod statistics;
pub mod summary;
pub mod tally;
pub mod trend;
pub mod units;
pub mod visible;
