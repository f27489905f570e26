//! Failures of two runs: the difference of two proportions, never a ratio from zero.

use super::distribution::normal_upper;
use super::shortfall::Shortfall;

/// Failures of one side, with how many independent requests they are worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Failed requests.
    pub failures: u64,
    /// All requests.
    pub requests: u64,
    /// Effective requests: `requests` divided by the design effect (at most `requests`).
    pub effective: f64,
}

impl Share {
    /// Every request counts as independent.
    pub fn of(failures: u64, requests: u64) -> Self {
        Self {
            failures,
            requests,
            effective: requests as f64,
        }
    }

    /// Failure ratio, 0 to 1.
    fn ratio(self) -> f64 {
        self.failures as f64 / self.requests as f64
    }

    /// Failures and successes of the effective requests, rounded to whole ones.
    fn thinned(self) -> (u64, u64) {
        let requests = self.effective.round() as u64;
        let failures = ((self.ratio() * self.effective).round() as u64).min(requests);
        (failures, requests - failures)
    }

    fn check(self) -> Result<(), Shortfall> {
        if self.requests == 0 {
            Err(Shortfall::NoRequests)
        } else if self.failures > self.requests
            || !(self.effective >= 1.0 && self.effective <= self.requests as f64)
        {
            Err(Shortfall::OutOfDomain)
        } else {
            Ok(())
        }
    }
}

/// The difference of two failure ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskDifference {
    /// Current − baseline failure ratio (−1 to 1).
    pub difference: f64,
    /// Lower bound of the difference.
    pub lower: f64,
    /// Upper bound of the difference.
    pub upper: f64,
    /// Fisher's one-sided p, on effective requests: at least this many more failures.
    pub p_greater: f64,
    /// Fisher's one-sided p of at least this many fewer failures.
    pub p_less: f64,
    /// Fisher's two-sided p.
    pub p_two_sided: f64,
}

/// Newcombe's hybrid score interval and Fisher's exact test, both on effective requests.
///
/// With Wilson limits (l, u) of either side: lower = d − √((`p_c` − `l_c`)² + (`u_b` − `p_b`)²) and
/// upper = d + √((`u_c` − `p_c`)² + (`p_b` − `l_b`)²) (Newcombe 1998, Statistics in Medicine 17, 873, method 10).
pub fn risk_difference(
    baseline: Share,
    current: Share,
    alpha: f64,
) -> Result<RiskDifference, Shortfall> {
    if !(alpha > 0.0 && alpha < 0.5) {
        return Err(Shortfall::OutOfDomain);
    }
    baseline.check()?;
    current.check()?;
    let (b, c) = (baseline.ratio(), current.ratio());
    let (b_low, b_high) = wilson(b, baseline.effective, alpha);
    let (c_low, c_high) = wilson(c, current.effective, alpha);
    let difference = c - b;
    let fisher = fisher_exact(baseline.thinned(), current.thinned());
    Ok(RiskDifference {
        difference,
        lower: difference - (c - c_low).hypot(b_high - b),
        upper: difference + (c_high - c).hypot(b - b_low),
        p_greater: fisher.p_greater,
        p_less: fisher.p_less,
        p_two_sided: fisher.p_two_sided,
    })
}

/// Wilson's score interval of a proportion `p` seen in `n` (effective) requests (Wilson 1927).
pub fn wilson(p: f64, n: f64, alpha: f64) -> (f64, f64) {
    let z = normal_upper(alpha);
    let z2 = z * z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let reach = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At 0 and at 1 the limit is that very value; rounding must not step over it.
    (
        (centre - reach).clamp(0.0, p),
        (centre + reach).clamp(p, 1.0),
    )
}

/// Fisher's exact test of a two-by-two table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fisher {
    /// P(as many failures on the current side, or more), margins given.
    pub p_greater: f64,
    /// P(as many failures on the current side, or fewer).
    pub p_less: f64,
    /// Sum of the probabilities of all tables no more likely than this one.
    pub p_two_sided: f64,
}

/// Fisher's exact test of (failures, successes) on either side.
///
/// The hypergeometric probabilities follow from their ratio to the next,
/// P(k + 1) / P(k) = (f − k)(n − k) / ((k + 1)(m − f + k + 1)), summed in logs; no factorial is needed, as they must
/// add up to 1. Tables up to 1 + 10⁻⁷ times as likely count as no more likely, as R and scipy have it.
pub fn fisher_exact(baseline: (u64, u64), current: (u64, u64)) -> Fisher {
    let failures = baseline.0 + current.0;
    let current_all = current.0 + current.1;
    let baseline_all = baseline.0 + baseline.1;
    let least = failures.saturating_sub(baseline_all);
    let most = failures.min(current_all);
    let mut logs = Vec::with_capacity((most - least + 1) as usize);
    let mut log = 0.0;
    for k in least..=most {
        logs.push(log);
        if k < most {
            let more = (failures - k) as f64 * (current_all - k) as f64;
            let fewer = (k + 1) as f64 * (baseline_all + k + 1 - failures) as f64;
            log += (more / fewer).ln();
        }
    }
    let seen = (current.0 - least) as usize;
    let likely = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = |logs: &mut dyn Iterator<Item = &f64>| logs.map(|l| (l - likely).exp()).sum::<f64>();
    let all = sum(&mut logs.iter());
    let bound = logs[seen] + 1e-7_f64.ln_1p();
    Fisher {
        p_greater: (sum(&mut logs[seen..].iter()) / all).min(1.0),
        p_less: (sum(&mut logs[..=seen].iter()) / all).min(1.0),
        p_two_sided: (sum(&mut logs.iter().filter(|l| **l <= bound)) / all).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_95(baseline: (u64, u64), current: (u64, u64)) -> RiskDifference {
        let (b, c) = (
            Share::of(baseline.0, baseline.1),
            Share::of(current.0, current.1),
        );
        risk_difference(b, c, 0.025).expect("requests")
    }

    fn rounded(r: RiskDifference) -> (f64, f64) {
        ((r.lower * 1e4).round() / 1e4, (r.upper * 1e4).round() / 1e4)
    }

    #[test]
    fn newcombe_1998_table_two_method_10() {
        assert_eq!(rounded(at_95((48, 80), (56, 70))), (0.0524, 0.3339));
        assert_eq!(rounded(at_95((3, 10), (9, 10))), (0.1705, 0.8090));
        assert_eq!(rounded(at_95((2, 7), (6, 7))), (0.0582, 0.8062));
        assert_eq!(rounded(at_95((0, 29), (5, 56))), (-0.0381, 0.1926));
        assert_eq!(rounded(at_95((0, 20), (0, 10))), (-0.1611, 0.2775));
        assert_eq!(rounded(at_95((0, 10), (10, 10))), (0.6075, 1.0));
    }

    #[test]
    fn the_lady_tasting_tea() {
        // 3 of 4 right: (16 + 1)/70 one-sided, (1 + 16 + 16 + 1)/70 two-sided.
        let fisher = fisher_exact((1, 3), (3, 1));
        assert!((fisher.p_greater - 17.0 / 70.0).abs() < 1e-14);
        assert!((fisher.p_less - 69.0 / 70.0).abs() < 1e-14);
        assert!((fisher.p_two_sided - 34.0 / 70.0).abs() < 1e-14);
    }

    #[test]
    fn fisher_with_unequal_sides() {
        // 1 of 3 against 4 of 4: of C(7, 5) = 21 tables, 4, 3 and 2 failures on the current side have
        // C(4,4) C(3,1) = 3, C(4,3) C(3,2) = 12 and C(4,2) C(3,3) = 6. No other is as rare as the 3.
        let fisher = fisher_exact((1, 2), (4, 0));
        assert!((fisher.p_two_sided - 3.0 / 21.0).abs() < 1e-14);
        assert!((fisher.p_greater - 3.0 / 21.0).abs() < 1e-14);
        assert_eq!(fisher.p_less, 1.0);
    }

    #[test]
    fn no_failure_anywhere_is_no_difference() {
        let r = at_95((0, 1000), (0, 1000));
        assert_eq!((r.difference, r.p_two_sided), (0.0, 1.0));
        // Wilson's upper limit of 0 in 1000 is z²/(n + z²) = 0.003827.
        assert!((r.upper - 0.003_826_7).abs() < 1e-6);
    }

    #[test]
    fn many_requests_do_not_overflow() {
        let r = at_95((50_000, 1_000_000), (60_000, 1_000_000));
        assert!(r.p_two_sided < 1e-200 && r.p_greater <= r.p_two_sided);
        assert!((r.difference - 0.01).abs() < 1e-15);
        let same = at_95((50_000, 1_000_000), (50_000, 1_000_000));
        assert!((same.p_two_sided - 1.0).abs() < 1e-9);
    }

    #[test]
    fn effective_requests_widen_the_interval() {
        let share = |failures| Share {
            failures,
            requests: 1000,
            effective: 100.0,
        };
        let thin = risk_difference(share(20), share(60), 0.025).expect("requests");
        let full = at_95((20, 1000), (60, 1000));
        assert_eq!(thin.difference, full.difference);
        assert!(thin.lower < 0.0 && full.lower > 0.0);
        assert_eq!(thin.p_two_sided, fisher_exact((2, 98), (6, 94)).p_two_sided);
    }

    #[test]
    fn empty_side_is_no_requests() {
        let why = risk_difference(Share::of(0, 0), Share::of(1, 2), 0.01);
        assert_eq!(why, Err(Shortfall::NoRequests));
    }
}
