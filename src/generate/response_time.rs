//! Response times: log-normal, set by their median and 95th percentile.

use super::random::Random;

/// The standard normal distribution's 95th percentile.
const Z95: f64 = 1.644_853_626_951_472_2;

/// No response takes longer than a day, so that a wild p95 cannot overflow the clock.
const LONGEST_US: f64 = 86_400e6;

/// A log-normal distribution of response times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResponseTime {
    median_us: f64,
    sigma: f64,
}

impl ResponseTime {
    /// The distribution with this median and 95th percentile, in milliseconds.
    pub fn new(median_ms: f64, p95_ms: f64) -> Self {
        Self {
            median_us: median_ms * 1e3,
            sigma: libm::log(p95_ms / median_ms) / Z95,
        }
    }

    /// One response time in whole microseconds, from 1 µs to a day.
    pub fn draw(&self, random: &mut Random) -> u64 {
        self.at(random.normal())
    }

    /// The response time `z` standard deviations from the median.
    fn at(&self, z: f64) -> u64 {
        let us = self.median_us * libm::exp(self.sigma * z);
        us.clamp(1.0, LONGEST_US).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF as _, LogNormal};

    use super::*;

    #[test]
    fn median_and_p95_are_where_they_were_set() {
        let times = ResponseTime::new(200.0, 500.0);
        assert_eq!(times.at(0.0), 200_000);
        assert_eq!(times.at(Z95), 500_000);
        // One p95 below the median: 200 * 200 / 500.
        assert_eq!(times.at(-Z95), 80_000);
        assert_eq!(ResponseTime::new(5.0, 5.0).at(3.0), 5000);
        assert_eq!(ResponseTime::new(1.0, 1e12).at(9.0), LONGEST_US as u64);
    }

    /// 20,000 draws against statrs: quantiles within a few percent, and Kolmogorov's distance below its 0.1 % limit.
    #[test]
    fn draws_fit_the_log_normal_distribution() {
        let (median_ms, p95_ms) = (180.0, 420.0);
        let times = ResponseTime::new(median_ms, p95_ms);
        let mut random = Random::new(7, 0);
        let mut draws: Vec<f64> = (0..20_000)
            .map(|_| times.draw(&mut random) as f64 / 1e3)
            .collect();
        draws.sort_by(f64::total_cmp);
        let exact = LogNormal::new(median_ms.ln(), (p95_ms / median_ms).ln() / Z95)
            .expect("a positive sigma");
        for (q, tolerance) in [(0.05, 0.03), (0.5, 0.02), (0.95, 0.03), (0.99, 0.05)] {
            let found = draws[(q * draws.len() as f64) as usize];
            let off = found / exact.inverse_cdf(q) - 1.0;
            assert!(off.abs() < tolerance, "p{q}: {found} is off by {off}");
        }
        let n = draws.len() as f64;
        let distance = draws
            .iter()
            .enumerate()
            .map(|(i, x)| (exact.cdf(*x) - (i as f64 + 0.5) / n).abs())
            .fold(0.0, f64::max);
        assert!(distance < 1.95 / n.sqrt(), "{distance}");
    }
}
