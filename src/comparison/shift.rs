//! The shift function: where along its distribution a run differs from its baseline.

use crate::summary::quantile::quantile;

/// The quantiles compared: deciles, p95 and p99.
pub const QUANTILES: [f64; 11] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

/// One quantile of both sides (Doksum 1974; Wilcox and Rousselet's shift function).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShiftPoint {
    /// Quantile, 0 to 1.
    pub q: f64,
    /// The baseline's value, in the unit of its values.
    pub baseline: f64,
    /// The current value.
    pub current: f64,
    /// Current − baseline.
    pub difference: f64,
    /// ln(current / baseline); `None` unless both are positive.
    pub log_ratio: Option<f64>,
}

impl ShiftPoint {
    /// Current ÷ baseline − 1; `None` unless both are positive.
    pub fn relative(&self) -> Option<f64> {
        self.log_ratio.map(f64::exp_m1)
    }
}

/// Quantiles (type 7) of two samples of counted values, each in ascending order. Empty if a side is.
pub fn shift_function<B, C>(baseline: &B, current: &C) -> Vec<ShiftPoint>
where
    B: Iterator<Item = (f64, u64)> + Clone,
    C: Iterator<Item = (f64, u64)> + Clone,
{
    let n_baseline = baseline.clone().map(|(_, n)| n).sum();
    let n_current = current.clone().map(|(_, n)| n).sum();
    QUANTILES
        .iter()
        .filter_map(|&q| {
            let b = quantile(baseline.clone(), n_baseline, q)?;
            let c = quantile(current.clone(), n_current, q)?;
            Some(ShiftPoint {
                q,
                baseline: b,
                current: c,
                difference: c - b,
                log_ratio: (b > 0.0 && c > 0.0).then(|| (c / b).ln()),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(scale: f64) -> impl Iterator<Item = (f64, u64)> + Clone {
        (0..=100).map(move |v| (f64::from(v) * scale, 1))
    }

    #[test]
    fn twice_as_slow_everywhere() {
        // 0..=100: the q quantile is 100 q; doubled, it moves by 100 q and by ln 2.
        let points = shift_function(&ramp(1.0), &ramp(2.0));
        assert_eq!(points.len(), 11);
        for p in points {
            assert!((p.difference - 100.0 * p.q).abs() < 1e-9);
            assert!((p.log_ratio.expect("positive") - 2_f64.ln()).abs() < 1e-12);
        }
    }

    #[test]
    fn only_the_tail_moved() {
        let current = [(10.0, 92), (50.0, 8)].into_iter();
        let points = shift_function(&[(10.0, 100)].into_iter(), &current);
        let moved: Vec<f64> = points
            .iter()
            .filter(|p| p.difference > 0.0)
            .map(|p| p.q)
            .collect();
        assert_eq!(moved, [0.95, 0.99]);
    }

    #[test]
    fn one_value_a_side() {
        let points = shift_function(&[(10.0, 1)].into_iter(), &[(11.0, 1)].into_iter());
        assert!(points.iter().all(|p| p.difference == 1.0));
    }

    #[test]
    fn empty_has_no_shift() {
        let nothing = std::iter::empty::<(f64, u64)>();
        assert!(shift_function(&nothing, &[(11.0, 1)].into_iter()).is_empty());
    }

    #[test]
    fn zero_has_no_ratio() {
        let points = shift_function(&[(0.0, 5)].into_iter(), &[(1.0, 5)].into_iter());
        assert!(
            points
                .iter()
                .all(|p| p.log_ratio.is_none() && p.difference == 1.0)
        );
    }
}
