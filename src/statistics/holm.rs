//! Many hypotheses at once: Holm's control of the chance of any false rejection.

/// Adjusted p-values, in the order given: the smallest level at which each hypothesis would be rejected.
///
/// With m p-values in ascending order, `p_adj(i)` = max over j ≤ i of (m − j + 1) · p(j), at most 1 (Holm 1979,
/// Scandinavian Journal of Statistics 6, 65). Holds whatever the hypotheses have to do with each other. Give *all*
/// judged hypotheses, not the promising ones. A p that is not a number counts as 1.
pub fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let clean = |p: f64| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) };
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| clean(p_values[*a]).total_cmp(&clean(p_values[*b])));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut greatest = 0.0_f64;
    for (before, &index) in order.iter().enumerate() {
        let left = (p_values.len() - before) as f64;
        greatest = greatest.max((clean(p_values[index]) * left).min(1.0));
        adjusted[index] = greatest;
    }
    adjusted
}

/// Which hypotheses are rejected, with a chance of at most `level` that any of them is rejected falsely.
pub fn rejected(p_values: &[f64], level: f64) -> Vec<bool> {
    adjusted(p_values).into_iter().map(|p| p <= level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_hypotheses_by_hand() {
        // .01 · 4 = .04; .02 · 3 = .06; .03 · 2 = .06; .04 · 1 = .04, but not less than the one before: .06.
        let adjusted = adjusted(&[0.03, 0.01, 0.04, 0.02]);
        for (a, e) in adjusted.iter().zip([0.06, 0.04, 0.06, 0.06]) {
            assert!((a - e).abs() < 1e-15, "{adjusted:?}");
        }
        assert_eq!(
            rejected(&[0.03, 0.01, 0.04, 0.02], 0.05),
            [false, true, false, false]
        );
    }

    #[test]
    fn steps_down_where_bonferroni_stops() {
        // Bonferroni's .05 / 3 = .0167 rejects the first only; Holm's second limit is .025.
        assert_eq!(rejected(&[0.01, 0.02, 0.9], 0.05), [true, true, false]);
    }

    #[test]
    fn one_value_is_itself_and_nothing_stays_nothing() {
        assert_eq!(adjusted(&[0.04]), [0.04]);
        assert_eq!(adjusted(&[]), Vec::<f64>::new());
    }

    #[test]
    fn not_a_number_is_never_rejected() {
        assert_eq!(rejected(&[f64::NAN, 0.001], 0.05), [false, true]);
    }
}
