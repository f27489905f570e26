//! Many hypotheses at once: Benjamini and Hochberg's control of the false discovery rate.

/// Adjusted p-values, in the order given: the smallest q at which each hypothesis would be rejected.
///
/// With m p-values in ascending order, `p_adj(i)` = min over j ≥ i of p(j) · m / j, at most 1 (Benjamini and Hochberg
/// 1995, JRSS B 57). Give *all* judged hypotheses, not the promising ones. A p that is not a number counts as 1.
pub fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let clean = |p: f64| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) };
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| clean(p_values[*a]).total_cmp(&clean(p_values[*b])));
    let m = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (before, &index) in order.iter().enumerate().rev() {
        smallest = smallest.min(clean(p_values[index]) * m / (before as f64 + 1.0));
        adjusted[index] = smallest;
    }
    adjusted
}

/// Which hypotheses are rejected with at most a share `q` of false rejections expected among them.
pub fn rejected(p_values: &[f64], q: f64) -> Vec<bool> {
    adjusted(p_values).into_iter().map(|p| p <= q).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benjamini_hochberg_1995_example() {
        // Their fifteen p-values: at q = 0.05 the four smallest are rejected (Bonferroni: three).
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let rejections = rejected(&p, 0.05);
        assert_eq!(rejections.iter().filter(|r| **r).count(), 4);
        // p(4) · 15/4 = 0.035625; p(1) · 15 = 0.0015.
        assert!((adjusted(&p)[3] - 0.035_625).abs() < 1e-15);
        assert!((adjusted(&p)[0] - 0.0015).abs() < 1e-15);
    }

    #[test]
    fn a_later_smaller_product_carries_back() {
        // Sorted .01, .02, .021 with m = 3: .03, .03, .021 → all .021; the order given is kept.
        for (a, e) in adjusted(&[0.021, 0.01, 0.02]).iter().zip([0.021; 3]) {
            assert!((a - e).abs() < 1e-15);
        }
    }

    #[test]
    fn one_value_is_itself() {
        assert_eq!(adjusted(&[0.04]), [0.04]);
    }

    #[test]
    fn all_equal_are_themselves() {
        assert_eq!(adjusted(&[0.5; 3]), [0.5; 3]);
    }

    #[test]
    fn empty_stays_empty() {
        assert_eq!(adjusted(&[]), Vec::<f64>::new());
    }

    #[test]
    fn not_a_number_is_never_rejected() {
        assert_eq!(rejected(&[f64::NAN, 0.001], 0.05), [false, true]);
    }
}
