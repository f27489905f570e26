//! Failures by status and folded message, and what kind each is.

use std::cmp::Ordering;

use super::Counts;

mod category;
pub mod fold;
pub mod many;
mod pattern;
mod python;
mod status;

pub use category::Category;
pub use pattern::foldable;

/// What makes two failures the same: the status and the folded message.
///
/// The category is carried along but is no part of the identity: one spelling of a failure may say more about its kind than
/// another (`JSONDecodeError('no value')` and `no value`), and [`ErrorTally`] keeps what the most telling one said.
#[derive(Clone, Debug)]
pub struct ErrorKey {
    /// HTTP status, if there was one.
    pub status: Option<u16>,
    /// The message with ids, addresses and numbers folded.
    pub message: String,
    /// What kind of failure this spelling of it says.
    pub category: Category,
}

impl ErrorKey {
    /// Sorts a failure into its category and folds its message.
    pub fn new(status: Option<u16>, message: &str) -> Self {
        let mut folded = fold::fold(message);
        if folded.is_empty() {
            folded = status.map_or_else(|| "no message".to_owned(), |s| format!("status {s}"));
        }
        Self {
            status,
            category: Category::of(status, message),
            message: folded,
        }
    }
}

impl ErrorKey {
    /// The failure of a request that got no answer, whatever else is said of it.
    pub fn without_answer(message: &str) -> Self {
        let key = Self::new(None, message);
        if key.category.is_without_answer() {
            return key;
        }
        let message = if message.trim().is_empty() {
            "no answer (status 0)".to_owned()
        } else {
            key.message
        };
        Self {
            message,
            category: Category::Connection,
            ..key
        }
    }
}

impl PartialEq for ErrorKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ErrorKey {}

impl PartialOrd for ErrorKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ErrorKey {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.status, &self.message).cmp(&(other.status, &other.message))
    }
}

/// How often and when a failure was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ErrorTally {
    /// How many requests.
    pub count: u64,
    /// What kind of failure: the most specific of what its spellings say.
    pub category: Category,
    /// First seen, epoch ms.
    pub first_ms: Option<i64>,
    /// Last seen, epoch ms.
    pub last_ms: Option<i64>,
    /// Epoch second → requests that started in it; only as far as their start is known.
    pub seconds: Counts,
}

impl ErrorTally {
    /// Counts `count` more of a kind, seen between `first` and `last`.
    pub fn add(&mut self, category: Category, count: u64, first: Option<i64>, last: Option<i64>) {
        self.count += count;
        self.category = self.category.max(category);
        self.first_ms = match (self.first_ms, first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last_ms = self.last_ms.max(last);
    }
    /// Adds another count of the same failure.
    pub fn merge(&mut self, other: &Self) {
        self.add(other.category, other.count, other.first_ms, other.last_ms);
        self.seconds.merge(&other.seconds);
    }
}

#[cfg(test)]
mod tests;
