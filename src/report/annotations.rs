//! The verdicts in the languages of CI systems. One file for each.

pub mod azure;
pub mod code_quality;
pub mod github;
pub mod teamcity;

/// Turns a file as the user named it into its path in the repository.
pub type PathInRepository<'a> = &'a dyn Fn(&str) -> Option<String>;
