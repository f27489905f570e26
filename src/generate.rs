//! The synthetic run: a load test that never happened, so that gates and readers can be tried.
//!
//! A [`scenario`] says who asks for what; [`users`] plays it, one closed loop per user; [`write_log`] and
//! [`write_locust`] write down what happened as a load test would have.

pub mod change;
pub mod random;
pub mod response_time;
pub mod scenario;
pub mod users;
pub mod write_locust;
pub mod write_log;
