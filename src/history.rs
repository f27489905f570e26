//! Many runs: the store that keeps them, and the statistics of one series, one value per run, oldest first.
//!
//! [`store`] reads what [`append`] wrote, one [line](mod@line) for each run ([`entry`]) or [`acknowledgement`]. The rest are pure
//! functions without I/O:
//! [`segment`] finds where the level changed, [`counts`] the same for failures out of requests,
//! [`drift`] tells a slow trend from steps, [`newest`] judges the last run against the level before it,
//! and [`otava`] answers as Apache Otava does.

pub mod acknowledgement;
pub mod append;
mod autocorrelation;
pub mod conditions;
pub mod counts;
pub mod drift;
mod effect;
pub mod entry;
pub mod line;
pub mod newest;
pub mod otava;
pub mod provenance;
mod scan;
pub mod segment;
mod settle;
mod spike;
pub mod store;
pub mod time_counts;
