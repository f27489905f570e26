//! The divergence of E-divisive means, and where it is largest.

/// Cumulated distances |xᵢ − xⱼ| of a window, from which Q̂ of any split of any part follows without new sums.
pub struct Divergence {
    n: usize,
    /// `to_earlier[j * n + i]` = Σ over k < i of `|x[k] − x[j]|`, for i ≤ j.
    to_earlier: Vec<f64>,
    /// `to_later[i * n + j]` = Σ over i < k ≤ j of `|x[i] − x[k]|`, for j ≥ i.
    to_later: Vec<f64>,
}

impl Divergence {
    /// Sums the distances of `window`: time and space n².
    pub fn new(window: &[f64]) -> Self {
        let n = window.len();
        let mut to_earlier = vec![0.0; n * n];
        let mut to_later = vec![0.0; n * n];
        for at in 0..n {
            let mut sum = 0.0;
            for earlier in 0..at {
                sum += (window[earlier] - window[at]).abs();
                to_earlier[at * n + earlier + 1] = sum;
            }
            sum = 0.0;
            for later in at + 1..n {
                sum += (window[at] - window[later]).abs();
                to_later[at * n + later] = sum;
            }
        }
        Self {
            n,
            to_earlier,
            to_later,
        }
    }

    /// Sum of the distances from run `at` to the runs `from..at`.
    fn earlier(&self, from: usize, at: usize) -> f64 {
        self.to_earlier[at * self.n + at] - self.to_earlier[at * self.n + from]
    }

    /// Sum of the distances from run `at` to the runs `at + 1..=last`.
    fn later(&self, at: usize, last: usize) -> f64 {
        self.to_later[at * self.n + last]
    }

    /// The split τ, over all τ and all ends κ with `begin` < τ < κ ≤ `end`, where
    ///
    /// Q̂(τ, κ) = 2/(n+m) · Σ|x−y| − 2m/((n+m)(n−1)) · Σ|x−x′| − 2n/((n+m)(m−1)) · Σ|y−y′|
    ///
    /// is largest; x are the n runs `begin..τ`, y the m runs `τ..κ`, each pair counted once. Gives (τ, Q̂), the first
    /// in order of τ, then κ. `end` − `begin` must be at least 2.
    pub fn largest(&self, begin: usize, end: usize) -> (usize, f64) {
        let mut best = (begin + 1, f64::NEG_INFINITY);
        // Σ|x−x′| among begin..τ; grows with τ.
        let mut within_left = 0.0;
        // Per κ: Σ over i in begin..τ of the distances to i+1..κ.
        let mut from_left = vec![0.0; end + 1];
        // Per τ and κ, Σ|y−y′| among τ..κ, summed from the back as τ falls.
        let within_right = self.within_right(begin, end);
        for tau in begin + 1..end {
            if tau > begin + 1 {
                within_left += self.earlier(begin, tau - 1);
            }
            for kappa in tau + 1..=end {
                from_left[kappa] += self.later(tau - 1, kappa - 1);
                let (n, m) = ((tau - begin) as f64, (kappa - tau) as f64);
                let mut q = 2.0 / (n + m) * (from_left[kappa] - within_left);
                if n > 1.0 {
                    q -= 2.0 * m / ((n + m) * (n - 1.0)) * within_left;
                }
                if m > 1.0 {
                    let among = within_right[(tau - begin) * (end - begin + 1) + kappa - begin];
                    q -= 2.0 * n / ((n + m) * (m - 1.0)) * among;
                }
                if q > best.1 {
                    best = (tau, q);
                }
            }
        }
        best
    }

    fn within_right(&self, begin: usize, end: usize) -> Vec<f64> {
        let width = end - begin + 1;
        let mut sums = vec![0.0; width * width];
        for kappa in begin + 2..=end {
            let mut sum = 0.0;
            for tau in (begin + 1..kappa - 1).rev() {
                sum += self.later(tau, kappa - 1);
                sums[(tau - begin) * width + kappa - begin] = sum;
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divergence_of_two_pairs() {
        // 0 0 | 3 3: between 4·3 = 12, within 0, so Q̂ = 2/4 · 12 = 6.
        let (split, q) = Divergence::new(&[0.0, 0.0, 3.0, 3.0]).largest(0, 4);
        assert_eq!((split, q), (2, 6.0));
    }

    #[test]
    fn divergence_of_a_part() {
        // The part 5 5 8 of the series: 5 5 | 8 gives 2/3 · 6 = 4, before it nothing larger.
        let series = [1.0, 5.0, 5.0, 8.0];
        assert_eq!(Divergence::new(&series).largest(1, 4), (3, 4.0));
    }

    #[test]
    fn divergence_of_two_runs() {
        assert_eq!(Divergence::new(&[1.0, 4.0]).largest(0, 2), (1, 3.0));
    }
}
