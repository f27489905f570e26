//! The mean's standard error from running totals, such as those of Locust's history, without single requests.

use super::dependence::{BlockLength, FEWEST_BLOCKS, block_length};
use super::shortfall::Shortfall;

/// One row of running totals since the start of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// Requests so far.
    pub requests: u64,
    /// Mean response time so far, in ms (Locust's `Total Average Response Time`); any number when `requests` is 0.
    pub mean_ms: f64,
}

/// What happened between two rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch {
    /// Requests between the rows.
    pub requests: u64,
    /// Sum of their response times, in ms.
    pub sum_ms: f64,
}

/// The mean of a run and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMeans {
    /// Mean response time in ms.
    pub mean_ms: f64,
    /// Standard error of the mean, in ms.
    pub standard_error_ms: f64,
    /// Standard error of ln(mean): `standard_error_ms` / `mean_ms`.
    pub log_standard_error: f64,
    /// Batches the error rests on (degrees of freedom: one less).
    pub batches: usize,
    /// Rows joined into a batch, and how the batches' means still depend on each other.
    pub block: BlockLength,
}

/// The requests and response times between neighbouring rows: differences of mean × count.
///
/// The first row only sets the start, so that rows of a warm-up can be left out. A running total that shrinks is an
/// error; a sum that rounding puts below zero counts as zero.
pub fn batches(rows: &[Running]) -> Result<Vec<Batch>, Shortfall> {
    let sum_of = |row: &Running| {
        if row.requests == 0 {
            0.0
        } else {
            row.mean_ms * row.requests as f64
        }
    };
    rows.windows(2)
        .enumerate()
        .map(|(i, pair)| {
            let (from, to) = (&pair[0], &pair[1]);
            let sum_ms = sum_of(to) - sum_of(from);
            let not_monotone = Shortfall::NotMonotone { row: i + 1 };
            let requests = to.requests.checked_sub(from.requests).ok_or(not_monotone)?;
            // Written means have at least six digits; a larger fall is a reset.
            if !sum_ms.is_finite() || sum_ms < -1e-6 * sum_of(to) {
                return Err(not_monotone);
            }
            Ok(Batch {
                requests,
                sum_ms: if requests == 0 { 0.0 } else { sum_ms.max(0.0) },
            })
        })
        .collect()
}

/// Standard error of the mean by batch means: rows are joined until neighbouring batches no longer depend on each other.
///
/// With B batches of `N_j` requests and sums `S_j`, m = ΣS / ΣN and se² = B / (B − 1) · Σ(`S_j` − m `N_j`)² / (ΣN)²:
/// the ratio form, as batches differ in requests (Law, Simulation Modeling, 9.5.3; Cochran, Sampling, 2.11). Rows are
/// joined by doubling until the lag-1 correlation of the batch means is below 0.2, while 20 batches remain.
pub fn batch_means(batches: &[Batch]) -> Result<BatchMeans, Shortfall> {
    batch_means_from(batches, FEWEST_BLOCKS / 2)
}

/// The same from that many batches with requests on.
pub fn batch_means_from(batches: &[Batch], needed: usize) -> Result<BatchMeans, Shortfall> {
    let busy = batches.iter().filter(|b| b.requests > 0).count();
    if busy < needed {
        return Err(Shortfall::TooFewSeconds {
            seconds: busy,
            needed,
        });
    }
    let block = block_length(batches.len(), |rows| {
        joined(batches, rows)
            .filter(|b| b.len() == rows)
            .map(mean_of)
            .collect()
    });
    let requests = batches.iter().map(|b| b.requests).sum::<u64>() as f64;
    let mean_ms = batches.iter().map(|b| b.sum_ms).sum::<f64>() / requests;
    if mean_ms <= 0.0 {
        return Err(Shortfall::NotPositive);
    }
    let residuals: Vec<f64> = joined(batches, block.steps)
        .map(|batch| {
            let (n, sum) = total(batch);
            sum - mean_ms * n as f64
        })
        .collect();
    let count = residuals.len() as f64;
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let standard_error_ms = (count / (count - 1.0) * squares).sqrt() / requests;
    Ok(BatchMeans {
        mean_ms,
        standard_error_ms,
        log_standard_error: standard_error_ms / mean_ms,
        batches: residuals.len(),
        block,
    })
}

fn joined(batches: &[Batch], rows: usize) -> impl Iterator<Item = &[Batch]> {
    batches.chunks(rows)
}

fn total(batch: &[Batch]) -> (u64, f64) {
    let requests = batch.iter().map(|b| b.requests).sum();
    (requests, batch.iter().map(|b| b.sum_ms).sum())
}

fn mean_of(batch: &[Batch]) -> Option<f64> {
    let (requests, sum) = total(batch);
    (requests > 0).then(|| sum / requests as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(requests: u64, mean_ms: f64) -> Running {
        Running { requests, mean_ms }
    }

    #[test]
    fn differences_of_running_totals() {
        // 2 × 10 = 20; 5 × 16 = 80: 3 requests took 60 ms; then nothing; then 5 × 24 more.
        let rows = [row(2, 10.0), row(5, 16.0), row(5, 16.0), row(10, 20.0)];
        let expected = [(3, 60.0), (0, 0.0), (5, 120.0)];
        let batches = batches(&rows).expect("monotone");
        for (batch, (requests, sum_ms)) in batches.iter().zip(expected) {
            assert_eq!(*batch, Batch { requests, sum_ms });
        }
    }

    #[test]
    fn a_reset_is_not_monotone() {
        let why = batches(&[row(5, 10.0), row(6, 10.0), row(1, 10.0)]);
        assert_eq!(why, Err(Shortfall::NotMonotone { row: 2 }));
        let shrunk = batches(&[row(5, 10.0), row(6, 1.0)]);
        assert_eq!(shrunk, Err(Shortfall::NotMonotone { row: 1 }));
    }

    #[test]
    fn no_request_yet_has_no_mean() {
        let batches = batches(&[row(0, f64::NAN), row(2, 7.0)]).expect("monotone");
        assert_eq!(
            batches[0],
            Batch {
                requests: 2,
                sum_ms: 14.0
            }
        );
    }

    #[test]
    fn alternating_means_by_hand() {
        // Ten batches of 1 request, 9 and 11 ms in turn: mean 10, residuals ±1: se² = 10/9 × 10 / 100 = 1/9.
        let batches: Vec<_> = (0..10)
            .map(|i| Batch {
                requests: 1,
                sum_ms: if i % 2 == 0 { 9.0 } else { 11.0 },
            })
            .collect();
        let answer = batch_means(&batches).expect("ten");
        assert_eq!(answer.mean_ms, 10.0);
        assert!((answer.standard_error_ms - 1.0 / 3.0).abs() < 1e-15);
        assert!((answer.log_standard_error - 1.0 / 30.0).abs() < 1e-15);
        assert_eq!((answer.batches, answer.block.lag1), (10, Some(-1.0)));
    }

    #[test]
    fn uneven_batches_weigh_by_requests() {
        // Every request took 10 ms, whatever the batch: no error.
        let batches: Vec<_> = (1..=12)
            .map(|n| Batch {
                requests: n,
                sum_ms: 10.0 * n as f64,
            })
            .collect();
        let answer = batch_means(&batches).expect("twelve");
        assert_eq!((answer.mean_ms, answer.standard_error_ms), (10.0, 0.0));
    }

    #[test]
    fn one_value_and_empty_are_too_few() {
        let few = |seconds| {
            Err(Shortfall::TooFewSeconds {
                seconds,
                needed: 10,
            })
        };
        assert_eq!(batch_means(&[]), few(0));
        assert_eq!(
            batch_means(&[Batch {
                requests: 3,
                sum_ms: 3.0
            }]),
            few(1)
        );
        assert_eq!(batches(&[]), Ok(vec![]));
        assert_eq!(batches(&[row(1, 1.0)]), Ok(vec![]));
    }
}
