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
mod fuzz_parsers;
mod gate_file;
mod generate;
mod goldens;
mod harmless;
mod harness;
mod history;
mod kept;
mod last_runs;
mod limits;
mod manual;
mod mutations;
mod no_verdict;
mod oracle;
mod outcomes;
mod outputs;
mod project;
mod properties;
mod reading;
mod report_readers;
mod systems;
mod tables;
mod trend;
mod trend_reports;
mod verdicts;
