//! The history of one series: one value per run, oldest first. Pure functions, no I/O.
//!
//! [`otava`] finds changes of level as Apache Otava does.

pub mod otava;
