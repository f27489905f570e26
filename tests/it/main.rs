//! Everything that is tested from outside, in one binary so that it links once.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it is"
)]

mod announce;
mod anonymous;
mod bad_input;
mod browser;
mod cases;
mod change_points;
mod check;
mod chromium;
mod compare;
mod compare_outcome;
mod comparison;
mod documents;
mod fuzz;
mod generate;
mod harmless;
mod harness;
mod history;
mod last_runs;
mod manual;
mod no_verdict;
mod oracle;
mod outputs;
mod project;
mod properties;
mod report_readers;
mod systems;
mod trend;
mod verdicts;
