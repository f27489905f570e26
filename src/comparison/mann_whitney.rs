//! The Mann–Whitney test, exact for few runs and with ties.

use std::cmp::Ordering;

use super::distribution::{normal_sf, normal_upper};
use super::shortfall::Shortfall;

/// Values of both sides up to which every arrangement is counted; beyond, the normal approximation is close.
const MOST_COUNTED: usize = 80;

/// What the ranks of two sides say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the baseline's value is the larger, ties counted half (0 to `n_x` · `n_y`).
    pub u: f64,
    /// Share of pairs in which the current value is the larger, ties counted half (0 to 1): Vargha and Delaney's A.
    pub superiority: f64,
    /// One-sided p of the current values being at least this much larger.
    pub p_greater: f64,
    /// One-sided p of the current values being at least this much smaller.
    pub p_less: f64,
    /// Two-sided p: twice the smaller one-sided p, at most 1.
    pub p_two_sided: f64,
    /// Whether every arrangement was counted (given the ties), rather than approximated.
    pub exact: bool,
}

/// Exact for up to 80 values together, conditional on the ties; the normal approximation above.
pub fn mann_whitney(baseline: &[f64], current: &[f64]) -> Result<MannWhitney, Shortfall> {
    let ranks = Ranks::of(baseline, current)?;
    Ok(if baseline.len() + current.len() <= MOST_COUNTED {
        ranks.exact()
    } else {
        ranks.approximate()
    })
}

/// The normal approximation at any size, with the correction for ties and for continuity (½), as `scipy` has it.
pub fn asymptotic(baseline: &[f64], current: &[f64]) -> Result<MannWhitney, Shortfall> {
    Ok(Ranks::of(baseline, current)?.approximate())
}

/// Midranks of the pooled values, doubled so that they are whole numbers.
struct Ranks {
    x: usize,
    y: usize,
    /// Tie groups in ascending order: how many values, and their doubled midrank.
    groups: Vec<(usize, usize)>,
    /// Sum of the baseline's doubled midranks.
    doubled_sum: usize,
}

impl Ranks {
    fn of(baseline: &[f64], current: &[f64]) -> Result<Self, Shortfall> {
        let (x, y) = (baseline.len(), current.len());
        if x == 0 || y == 0 {
            return Err(Shortfall::TooFewRuns { runs: 0, needed: 1 });
        }
        let mut pooled: Vec<(f64, bool)> = baseline.iter().map(|v| (*v, true)).collect();
        pooled.extend(current.iter().map(|v| (*v, false)));
        if pooled.iter().any(|(v, _)| v.is_nan()) {
            return Err(Shortfall::OutOfDomain);
        }
        pooled.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut groups = Vec::new();
        let mut doubled_sum = 0;
        let mut first = 1;
        for group in pooled.chunk_by(|a, b| a.0.partial_cmp(&b.0).is_some_and(Ordering::is_eq)) {
            let midrank = 2 * first + group.len() - 1;
            doubled_sum += midrank * group.iter().filter(|(_, is_x)| *is_x).count();
            groups.push((group.len(), midrank));
            first += group.len();
        }
        Ok(Self {
            x,
            y,
            groups,
            doubled_sum,
        })
    }

    fn u(&self) -> f64 {
        (self.doubled_sum - self.x * (self.x + 1)) as f64 / 2.0
    }

    fn answer(&self, p_greater: f64, p_less: f64, exact: bool) -> MannWhitney {
        MannWhitney {
            u: self.u(),
            superiority: 1.0 - self.u() / (self.x * self.y) as f64,
            p_greater,
            p_less,
            p_two_sided: (2.0 * p_greater.min(p_less)).min(1.0),
            exact,
        }
    }

    /// Counts, for every rank sum, the ways to pick the baseline's values from the tie groups.
    fn exact(&self) -> MannWhitney {
        let total: usize = self.x + self.y;
        let width = total * (total + 1) + 1;
        // ways[picked][doubled rank sum]; C(80, 40) = 1.1e23 fits easily.
        let mut ways = vec![vec![0_u128; width]; self.x + 1];
        ways[0][0] = 1;
        for &(size, midrank) in &self.groups {
            // From above, so that ways[picked − some] still is the count without this group.
            for picked in (1..=self.x).rev() {
                let (below, rest) = ways.split_at_mut(picked);
                let mut choices = 1_u128;
                for some in 1..=size.min(picked) {
                    choices = choices * (size - some + 1) as u128 / some as u128;
                    let shift = some * midrank;
                    let without = &below[picked - some];
                    for sum in shift..width {
                        rest[0][sum] += choices * without[sum - shift];
                    }
                }
            }
        }
        let counts = &ways[self.x];
        let all: u128 = counts.iter().sum();
        let up_to: u128 = counts[..=self.doubled_sum].iter().sum();
        let from: u128 = counts[self.doubled_sum..].iter().sum();
        // A small rank sum of the baseline means larger current values.
        self.answer(up_to as f64 / all as f64, from as f64 / all as f64, true)
    }

    /// Mean xy/2, variance xy/12 · (n + 1 − Σ(t³ − t) / (n (n − 1))); continuity ½ towards the mean.
    fn approximate(&self) -> MannWhitney {
        let (x, y) = (self.x as f64, self.y as f64);
        let n = x + y;
        let ties: f64 = self
            .groups
            .iter()
            .map(|(size, _)| (*size as f64).powi(3) - *size as f64)
            .sum();
        let variance = x * y / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
        if variance <= 0.0 {
            return self.answer(1.0, 1.0, false);
        }
        let sd = variance.sqrt();
        let mean = x * y / 2.0;
        let tail = |distance: f64| normal_sf((distance - 0.5) / sd);
        self.answer(tail(mean - self.u()), tail(self.u() - mean), false)
    }
}

/// A rank with the error it stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rank {
    /// How many of the ordered pairwise differences lie outside the bound, on one side.
    pub outside: usize,
    /// P(U ≤ outside): the error of that bound (probability), at most the wished one when exact.
    pub error: f64,
}

/// The largest c with P(U ≤ c) ≤ `alpha` for x against y distinct values: exact up to 80 values, normal above.
///
/// The generating function of the counts is the Gaussian binomial Π (1 − q^(y+i)) / (1 − q^i), i = 1..x
/// (Mann and Whitney 1947); it is multiplied out in whole numbers.
pub fn outermost_rank(x: usize, y: usize, alpha: f64) -> Result<Rank, Shortfall> {
    if x == 0 || y == 0 {
        return Err(Shortfall::TooFewRuns { runs: 0, needed: 1 });
    }
    if x + y > MOST_COUNTED {
        return approximate_rank(x as f64, y as f64, alpha);
    }
    let counts = counts_of_u(x, y);
    let all = counts.iter().sum::<u128>() as f64;
    let mut up_to = 0_u128;
    let mut best = None;
    for (outside, count) in counts.iter().enumerate() {
        up_to += count;
        let error = up_to as f64 / all;
        if error > alpha {
            break;
        }
        best = Some(Rank { outside, error });
    }
    best.ok_or(Shortfall::AlphaOutOfReach {
        smallest: 1.0 / all,
    })
}

fn approximate_rank(x: f64, y: f64, alpha: f64) -> Result<Rank, Shortfall> {
    let sd = (x * y * (x + y + 1.0) / 12.0).sqrt();
    let mean = x * y / 2.0;
    let outside = (mean - 0.5 - normal_upper(alpha) * sd).floor();
    let error = |outside: f64| normal_sf((mean - outside - 0.5) / sd);
    if outside < 0.0 {
        return Err(Shortfall::AlphaOutOfReach {
            smallest: error(0.0),
        });
    }
    Ok(Rank {
        outside: outside as usize,
        error: error(outside),
    })
}

/// In how many arrangements of x and y distinct values each U = 0..=xy comes up.
fn counts_of_u(x: usize, y: usize) -> Vec<u128> {
    let mut counts = vec![0_u128; x * y + 1];
    counts[0] = 1;
    for i in 1..=x {
        // Differences may pass below zero on the way; modulo 2^128 they come back.
        for u in (y + i..counts.len()).rev() {
            counts[u] = counts[u].wrapping_sub(counts[u - y - i]);
        }
        for u in i..counts.len() {
            counts[u] = counts[u].wrapping_add(counts[u - i]);
        }
    }
    counts
}

#[cfg(test)]
mod tests;
