//! How large a change is: the median and the probability of superiority.

/// The median; the mean of the middle two of an even number of values. `NaN` of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// Standard deviation of the runs about their level, from the differences between successive ones, so that changes of
/// level do not widen it: 1.4826 · median |difference| / √2.
pub fn deviation_by_steps(values: &[f64]) -> f64 {
    const NORMAL: f64 = 1.482_602_218_505_602;
    let steps: Vec<f64> = values.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    if steps.is_empty() {
        return 0.0;
    }
    NORMAL * median(&steps) / std::f64::consts::SQRT_2
}

/// Probability that a run after is larger than a run before, ties counted half (Vargha and Delaney 2000, A).
pub fn superiority(before: &[f64], after: &[f64]) -> f64 {
    let mut won = 0.0;
    for b in before {
        for a in after {
            if a > b {
                won += 1.0;
            } else if a >= b {
                won += 0.5;
            }
        }
    }
    won / (before.len() * after.len()) as f64
}

/// The step of values that were rounded: the smallest distance between two different values, if any two are equal.
/// Zero when no two are equal, as then nothing points to rounding.
pub fn quantum(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let gaps: Vec<f64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if !gaps.contains(&0.0) {
        return 0.0;
    }
    let smallest = gaps.into_iter().filter(|gap| *gap > 0.0);
    smallest.min_by(f64::total_cmp).unwrap_or(0.0)
}

/// The least standard deviation, in logs, that rounded values may be credited with: quantum ÷ √12 ÷ median,
/// the deviation of a uniform rounding error. Without it, equal values would be evidence without limit.
pub fn rounding_deviation(values: &[f64]) -> f64 {
    let middle = median(values);
    if middle > 0.0 {
        quantum(values) / 12.0_f64.sqrt() / middle
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_even_and_an_odd_number() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn deviation_by_steps_of_one_and_two() {
        // Steps 1 1 2, their median 1: 1.4826 / 1.4142 = 1.0484.
        assert!((deviation_by_steps(&[1.0, 2.0, 3.0, 1.0]) - 1.0484).abs() < 1e-4);
        assert_eq!(deviation_by_steps(&[1.0]), 0.0);
    }

    #[test]
    fn superiority_counts_ties_half() {
        // Pairs (1,1) ½, (1,3) 1, (2,1) 0, (2,3) 1 → 2.5 of 4.
        assert_eq!(superiority(&[1.0, 2.0], &[1.0, 3.0]), 0.625);
    }

    #[test]
    fn quantum_needs_a_tie() {
        assert_eq!(quantum(&[140.0, 150.0, 140.0, 170.0]), 10.0);
        assert_eq!(quantum(&[140.0, 150.0, 170.0]), 0.0);
        assert_eq!(quantum(&[140.0, 140.0]), 0.0);
    }

    #[test]
    fn rounding_to_tens_around_145() {
        // 10 / 3.4641 / 145 = 0.019909.
        let floor = rounding_deviation(&[140.0, 140.0, 150.0, 150.0]);
        assert!((floor - 0.019_909).abs() < 1e-6, "{floor}");
    }
}
