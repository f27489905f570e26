//! The statistics of comparing runs: pure functions of plain numbers, no I/O, no clock.
//!
//! Conventions held throughout:
//! * differences are natural logarithms of current / baseline; 0 is "no change", 0.0953 is +10 %;
//! * `alpha` is the error allowed on *each* side of an interval: 0.01 gives the bounds of two one-sided tests;
//! * what cannot be computed is a named [`shortfall::Shortfall`], never NaN.

pub mod batch_means;
pub mod bootstrap;
pub mod dependence;
pub mod distribution;
pub mod errors;
pub mod hodges_lehmann;
pub mod interval;
pub mod mann_whitney;
pub mod multiplicity;
pub mod power;
pub mod random;
pub mod rounding;
pub mod rule;
pub mod run_pair;
pub mod seconds;
pub mod shift;
pub mod shortfall;
pub mod welch;
