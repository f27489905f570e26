//! Everything that is tested from outside, in one binary so that it links once.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it is"
)]

mod announce;
mod bad_input;
mod browser;
mod cases;
mod change_points;
mod check;
mod chromium;
mod compare;
mod comparison;
mod documents;
mod fuzz;
mod gate_file;
mod generate;
mod harness;
mod history;
mod kept;
mod last_runs;
mod limits;
mod manual;
mod mutations;
mod oracle;
mod outcomes;
mod project;
mod properties;
mod reading;
mod systems;
mod tables;
mod trend;
