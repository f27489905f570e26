//! The history of one series: one value per run, oldest first. Pure functions, no I/O.
//!
//! [`segment`] finds where the level changed, [`counts`] the same for failures out of requests,
//! [`drift`] tells a slow trend from steps, [`newest`] judges the last run against the level before it,
//! and [`otava`] answers as Apache Otava does.

mod autocorrelation;
pub mod counts;
pub mod drift;
mod effect;
pub mod newest;
pub mod otava;
mod random;
mod scan;
pub mod segment;
mod settle;
mod spike;
