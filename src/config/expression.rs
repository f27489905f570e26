//! The grammar of a requirement.
