//! How strongly the two sides of a split differ, comparable between intervals of any length.

use super::MIN_SIDE;
use crate::statistics::random::Random;

/// What is scanned: one entry per run, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Runs {
    /// A level that varies from run to run.
    Levels {
        /// Natural logarithms of the values.
        logs: Vec<f64>,
        /// The least standard deviation that runs are credited with, in logs; above zero if values are rounded.
        floor: f64,
    },
    /// Failures out of requests.
    Counts(Vec<(f64, f64)>),
}

impl Runs {
    /// Number of runs.
    pub fn len(&self) -> usize {
        match self {
            Self::Levels { logs, .. } => logs.len(),
            Self::Counts(pairs) => pairs.len(),
        }
    }

    /// The runs `start..end`.
    pub fn part(&self, start: usize, end: usize) -> Self {
        match self {
            Self::Levels { logs, floor } => Self::Levels {
                logs: logs[start..end].to_vec(),
                floor: *floor,
            },
            Self::Counts(pairs) => Self::Counts(pairs[start..end].to_vec()),
        }
    }

    /// Puts the runs in a random order.
    pub fn permute(&mut self, random: &mut Random) {
        match self {
            Self::Levels { logs, .. } => random.shuffle(logs),
            Self::Counts(pairs) => random.shuffle(pairs),
        }
    }

    /// Replaces levels by standard normal ones, each correlated with the one before by `rho`. Counts are permuted: for
    /// them no such model is known.
    pub fn make_autoregressive(&mut self, rho: f64, random: &mut Random) {
        match self {
            Self::Levels { logs, floor } => {
                *floor = 0.0;
                let innovation = (1.0 - rho * rho).sqrt();
                let mut previous = random.normal();
                for log in logs {
                    *log = previous;
                    previous = rho * previous + innovation * random.normal();
                }
            }
            Self::Counts(pairs) => random.shuffle(pairs),
        }
    }
}

/// Cumulated sums, from which any split of any interval is rated in constant time.
#[derive(Clone, Debug)]
pub struct Sums {
    /// Of logs, or of failures; `first[i]` is that of the first i runs.
    first: Vec<f64>,
    /// Of squared logs, or of requests.
    second: Vec<f64>,
    /// `inverse[i]` = 1 / i.
    inverse: Vec<f64>,
    /// The floor of the variance; none for counts.
    least_variance: Option<f64>,
}

impl Sums {
    /// Sums `runs`.
    pub fn new(runs: &Runs) -> Self {
        let n = runs.len();
        let mut sums = Self {
            first: vec![0.0; n + 1],
            second: vec![0.0; n + 1],
            inverse: (0..=n).map(|i| 1.0 / i as f64).collect(),
            least_variance: None,
        };
        sums.update(runs);
        sums
    }

    /// Sums other runs, as many as before.
    pub fn update(&mut self, runs: &Runs) {
        match runs {
            Runs::Levels { logs, floor } => {
                self.least_variance = Some(floor * floor);
                // About the first value, lest squares of large logs cancel.
                let origin = logs.first().copied().unwrap_or(0.0);
                for (i, log) in logs.iter().enumerate() {
                    let centred = log - origin;
                    self.first[i + 1] = self.first[i] + centred;
                    self.second[i + 1] = self.second[i] + centred * centred;
                }
            }
            Runs::Counts(pairs) => {
                self.least_variance = None;
                for (i, (failures, requests)) in pairs.iter().enumerate() {
                    self.first[i + 1] = self.first[i] + failures;
                    self.second[i + 1] = self.second[i] + requests;
                }
            }
        }
    }

    /// The strongest split of `start..end`, at least two minimal sides long: the first run of its right side, and its
    /// strength, which is zero where nothing differs.
    pub fn strongest_split(&self, start: usize, end: usize) -> (usize, f64) {
        match self.least_variance {
            Some(least_variance) => self.strongest_level(start, end, least_variance),
            None => self.strongest_ratio(start, end),
        }
    }

    /// The split of the largest |t|, and that t as the normal deviate of the same probability.
    ///
    /// With n runs, l of them left, and d = n·Σleft − l·Σall, the sum of squares between the sides is
    /// d²·(1/l + 1/(n − l)) / n²; what remains of the total is within them, and t² = (n − 2)·between / within.
    fn strongest_level(&self, start: usize, end: usize, least_variance: f64) -> (usize, f64) {
        let length = end - start;
        let n = length as f64;
        let origin = self.first[start];
        let all = self.first[end] - origin;
        let (mut split, mut largest) = (start + MIN_SIDE, 0.0);
        for left in MIN_SIDE..=length - MIN_SIDE {
            let d = (self.first[start + left] - origin) * n - all * left as f64;
            let between = d * d * (self.inverse[left] + self.inverse[length - left]);
            if between > largest {
                (split, largest) = (start + left, between);
            }
        }
        let between = largest / (n * n);
        let squares = self.second[end] - self.second[start] - all * all / n;
        let df = n - 2.0;
        // Relative to the total, sums of squares are exact to about 1e-15 only.
        let least = (least_variance * df).max(squares * 1e-12);
        let within = (squares - between).max(least);
        if within <= 0.0 {
            return (split, 0.0);
        }
        (split, normal_deviate(between * df / within, df))
    }

    /// The split of the largest likelihood ratio of two binomials against one, and twice its logarithm (which is
    /// χ² with one degree of freedom when requests are independent).
    fn strongest_ratio(&self, start: usize, end: usize) -> (usize, f64) {
        let failures = self.first[end] - self.first[start];
        let requests = self.second[end] - self.second[start];
        let together = log_likelihood(failures, requests);
        let (mut split, mut largest) = (start + MIN_SIDE, 0.0);
        for at in start + MIN_SIDE..=end - MIN_SIDE {
            let k = self.first[at] - self.first[start];
            let m = self.second[at] - self.second[start];
            let apart = log_likelihood(k, m) + log_likelihood(failures - k, requests - m);
            if apart - together > largest {
                (split, largest) = (at, apart - together);
            }
        }
        (split, 2.0 * largest)
    }
}

/// The normal deviate with the tail probability of t² on `df` degrees of freedom (Wallace, *Bounds on normal
/// approximations to Student's and the chi-square distributions*, Ann. Math. Stat. 1959):
/// (8·df + 1) / (8·df + 3) · √(df · ln(1 + t² / df)).
fn normal_deviate(t_squared: f64, df: f64) -> f64 {
    (8.0 * df + 1.0) / (8.0 * df + 3.0) * (df * (t_squared / df).ln_1p()).sqrt()
}

/// Logarithm of the likelihood of k of m at the ratio k / m, without the binomial coefficient.
fn log_likelihood(k: f64, m: f64) -> f64 {
    let part = |x: f64| if x > 0.0 { x * (x / m).ln() } else { 0.0 };
    part(k) + part(m - k)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_of(runs: &Runs) -> (usize, f64) {
        Sums::new(runs).strongest_split(0, runs.len())
    }

    #[test]
    fn strength_of_one_to_four() {
        // 1 2 | 3 4: means 1.5 and 3.5, within ¼·4 = 1, between 4, t² = 2·4/1 = 8.
        // Wallace: 17/19 · √(2·ln 5) = 0.894737 · 1.794123 = 1.605268; exactly P(|T₂| > √8) = 0.1056, z = 1.618.
        let runs = Runs::Levels {
            logs: vec![1.0, 2.0, 3.0, 4.0],
            floor: 0.0,
        };
        let (split, strength) = split_of(&runs);
        assert_eq!(split, 2);
        assert!((strength - 1.605_268).abs() < 1e-6, "{strength}");
    }

    #[test]
    fn a_floor_limits_what_equal_runs_prove() {
        // Between = 4·(0.5)² = 1, within floored at 2·1² = 2, t² = 1: 17/19 · √(2·ln 1.5) = 0.805725.
        let runs = Runs::Levels {
            logs: vec![0.0, 0.0, 1.0, 1.0],
            floor: 1.0,
        };
        let (_, strength) = split_of(&runs);
        assert!((strength - 0.805_725).abs() < 1e-6, "{strength}");
    }

    #[test]
    fn strength_of_failures_from_zero() {
        // 0 of 20, then 10 of 20: 2·(10·ln ½ + 10·ln ½ − 10·ln ¼ − 30·ln ¾) = 2·(30·ln 4/3) = 17.260924.
        let runs = Runs::Counts(vec![(0.0, 10.0), (0.0, 10.0), (5.0, 10.0), (5.0, 10.0)]);
        let (split, strength) = split_of(&runs);
        assert_eq!(split, 2);
        assert!((strength - 17.260_924).abs() < 1e-6, "{strength}");
    }

    #[test]
    fn no_requests_prove_nothing() {
        assert_eq!(split_of(&Runs::Counts(vec![(0.0, 0.0); 4])).1, 0.0);
    }
}
