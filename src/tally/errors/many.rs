//! More different messages than are kept: a log can have a new one in every line.
//!
//! Then none is kept by its text, only by status and kind of failure, so that the answer does not depend on which messages
//! came first. Counts stay exact; what asks for a text is not judged.

use std::collections::BTreeMap;

use super::{ErrorKey, ErrorTally};
use crate::limits;
use crate::tally::{Concern, EndpointTally, Tally};

/// The message that stands for many, up to their kind. Numbers in real messages are folded.
fn mark() -> String {
    format!("over {} different messages", limits::MESSAGES)
}

/// Errors of one endpoint.
type Errors = BTreeMap<ErrorKey, ErrorTally>;

/// Pools the errors of all endpoints if there are too many, or if some were pooled before; whether it was done.
pub fn pool<'t>(endpoints: impl Iterator<Item = &'t mut EndpointTally>, were_pooled: bool) -> bool {
    let all: Vec<&mut Errors> = endpoints.map(|endpoint| &mut endpoint.errors).collect();
    let many = all.iter().map(|errors| errors.len()).sum::<usize>() > limits::MESSAGES;
    if !many && !were_pooled {
        return false;
    }
    for errors in all {
        let mut pooled = Errors::new();
        for (key, error) in std::mem::take(errors) {
            let key = ErrorKey {
                status: key.status,
                message: format!("{} ({})", mark(), error.category.name()),
                category: error.category,
            };
            pooled.entry(key).or_default().merge(&error);
        }
        *errors = pooled;
    }
    true
}

impl Tally {
    /// Keeps errors by status and kind alone if they have too many messages, and doubts what asks for a message.
    pub fn pool_errors(&mut self) {
        let mark = mark();
        let were_pooled = self.endpoints.values().any(|endpoint| {
            endpoint
                .errors
                .keys()
                .any(|key| key.message.starts_with(&mark))
        });
        let all = self.endpoints.values_mut().chain(&mut self.reported_total);
        if pool(all, were_pooled) {
            let why = format!(
                "the failures have more than {} different messages, which are not kept one by one",
                limits::MESSAGES
            );
            self.doubts.add(&[Concern::Messages], &why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Endpoint, Request};

    /// Letters only, so that nothing folds.
    fn message(n: usize) -> String {
        let letter = |digit: usize| char::from(b'a' + (n / 26_usize.pow(digit as u32) % 26) as u8);
        (0..4).map(letter).collect()
    }

    fn failures(numbers: std::ops::Range<usize>) -> Tally {
        let mut tally = Tally::default();
        for n in numbers {
            let failure = ErrorKey::new(Some(500), &message(n));
            let request = Request {
                start_ms: Some(n as i64),
                response_time_us: 1000,
                status: Some(500),
                failure: Some(&failure),
                ..Request::default()
            };
            tally.add(Endpoint::default(), &request);
        }
        tally
    }

    #[test]
    fn a_message_is_kept_up_to_the_limit() {
        let mut tally = failures(0..limits::MESSAGES);
        let before = tally.clone();
        tally.pool_errors();
        assert_eq!(tally, before);
    }

    #[test]
    fn pooling_early_or_late_is_the_same() {
        let most = limits::MESSAGES;
        let mut whole = failures(0..most + 10);
        whole.pool_errors();
        let mut early = failures(0..most + 5);
        early.pool_errors();
        let mut parts = Tally::joined(vec![failures(most + 5..most + 10), early]);
        parts.pool_errors();
        assert_eq!(whole, parts);
        let total = whole.total();
        assert_eq!((total.failures, total.errors.len()), (most as u64 + 10, 1));
        assert_eq!(
            total.errors.values().map(|e| e.count).sum::<u64>(),
            total.failures
        );
        assert!(!whole.doubts.is_empty());
    }
}
