//! Request logs.
