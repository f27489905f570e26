//! Statistics without a word on what they are used for: pure functions on slices of floats.
//!
//! Each names its source and has a test that was worked out by hand. What matters, and what is said of it, is decided by
//! [`crate::comparison`] and [`crate::trend`].

pub mod covariance;
pub mod distribution;
pub mod holm;
pub mod random;
pub mod rotation;
pub mod shortfall;
