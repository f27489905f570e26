//! Many figures of the same runs at once: the rotation test with the greatest t.
//!
//! Under "no difference" the runs' figures, less their mean, are as likely in any direction of the n − 1 dimensions that
//! are left. Turning the sides in place of the data keeps how the figures hang together, so that thirty figures of which
//! all say the same count as one (Langsrud 2005, Statistics and Computing 15, 53; greatest t and step-down as Westfall and
//! Young 1993, 2.8). It is exact for normal figures, also where permutations of six runs have too few arrangements.

use super::distribution::student_t_upper;
use super::random::Random;
use super::shortfall::Shortfall;

/// Random directions: a level of .005 is then met by 50 of them, give or take 7.
pub const DRAWS: usize = 9_999;

/// The chance of each figure's difference, or of a greater one in any figure, were there none.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    /// Of so much more, for each figure; at least 1 / ([`DRAWS`] + 1).
    pub p_more: Vec<f64>,
    /// Of so much less.
    pub p_less: Vec<f64>,
    /// Greatest correlation of each direction with any figure, ascending.
    greatest: Vec<f64>,
    /// Observations − 2.
    degrees_of_freedom: f64,
}

/// Tests every column (one value for each run) for a difference between the sides; `current[i]` says on which side run i is.
///
/// `t_more[j]` is column j's t for "more on the current side", with n − 2 degrees of freedom, and `t_less[j]` that for
/// "less" (its negative, where nothing is held against them). In n − 1 dimensions t is r √(n − 2) / √(1 − r²), r the cosine
/// of the angle between sides and column, and a random direction takes the place of the sides. A column without variance
/// counts in no draw.
///
/// The draws are seeded by the columns: same data, same answer, in whatever order the runs are given.
pub fn greatest_t(
    columns: &[Vec<f64>],
    current: &[bool],
    t_more: &[f64],
    t_less: &[f64],
) -> Result<Rotation, Shortfall> {
    let n = current.len();
    let is_whole = columns
        .iter()
        .all(|c| c.len() == n && c.iter().all(|v| v.is_finite()));
    if !is_whole || t_more.len() != columns.len() || t_less.len() != columns.len() {
        return Err(Shortfall::OutOfDomain);
    }
    let now = current.iter().filter(|c| **c).count();
    if now == 0 || now == n || n < 3 {
        return Err(Shortfall::TooFewRuns { runs: n, needed: 3 });
    }
    let degrees_of_freedom = (n - 2) as f64;
    let order = order_of(columns, current);
    let units: Vec<Vec<f64>> = columns.iter().map(|c| unit(c, &order)).collect();
    let mut more = StepDown::new(t_more, degrees_of_freedom);
    let mut less = StepDown::new(t_less, degrees_of_freedom);
    let mut random = Random::new(seed(columns, current, &order));
    let mut direction = vec![0.0; n];
    let mut cosines = vec![0.0; columns.len()];
    let mut greatest = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        // Normals less their mean, of any length: a uniform direction among those that are orthogonal to the mean.
        direction.fill_with(|| random.normal());
        let mean = direction.iter().sum::<f64>() / n as f64;
        for along in &mut direction {
            *along -= mean;
        }
        let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
        for (cosine, unit) in cosines.iter_mut().zip(&units) {
            let product: f64 = direction.iter().zip(unit).map(|(d, u)| d * u).sum();
            *cosine = product / length;
        }
        greatest.push(more.count(|j| cosines[j]));
        less.count(|j| -cosines[j]);
    }
    greatest.sort_by(f64::total_cmp);
    Ok(Rotation {
        p_more: more.p_values(),
        p_less: less.p_values(),
        greatest,
        degrees_of_freedom,
    })
}

impl Rotation {
    /// The t that the greatest of all figures exceeds by chance with probability `level`.
    pub fn critical_t(&self, level: f64) -> f64 {
        let beyond = (level * (DRAWS + 1) as f64).floor().max(1.0) as usize;
        let r = self.greatest[DRAWS - beyond.min(DRAWS)].clamp(-1.0, 1.0);
        r * (self.degrees_of_freedom / (1.0 - r * r).max(f64::MIN_POSITIVE)).sqrt()
    }
}

/// The t with so many degrees of freedom that has the one-sided chance `p`, to hand a test with others to [`greatest_t`].
pub fn t_of(p: f64, degrees_of_freedom: f64) -> f64 {
    student_t_upper(p.clamp(1e-300, 1.0 - 1e-16), degrees_of_freedom)
}

/// Counts, for each figure, the draws in which any figure that is not surer than it comes out as far.
struct StepDown {
    /// Observed cosine of each figure.
    observed: Vec<f64>,
    /// Figures by their cosine, the least first.
    ascending: Vec<usize>,
    beyond: Vec<u32>,
}

impl StepDown {
    fn new(t: &[f64], degrees_of_freedom: f64) -> Self {
        let cosine = |t: &f64| t / (degrees_of_freedom + t * t).sqrt();
        let observed: Vec<f64> = t.iter().map(cosine).collect();
        let mut ascending: Vec<usize> = (0..t.len()).collect();
        ascending.sort_by(|a, b| observed[*a].total_cmp(&observed[*b]));
        Self {
            beyond: vec![0; t.len()],
            observed,
            ascending,
        }
    }

    /// Takes one draw into account; the answer is its greatest cosine.
    fn count(&mut self, cosine: impl Fn(usize) -> f64) -> f64 {
        let mut greatest = f64::NEG_INFINITY;
        for &j in &self.ascending {
            greatest = greatest.max(cosine(j));
            self.beyond[j] += u32::from(greatest >= self.observed[j]);
        }
        greatest
    }

    fn p_values(&self) -> Vec<f64> {
        let mut p = vec![1.0; self.observed.len()];
        let mut most = 0.0_f64;
        for &j in self.ascending.iter().rev() {
            most = most.max(f64::from(self.beyond[j] + 1) / (DRAWS + 1) as f64);
            p[j] = most;
        }
        p
    }
}

/// The runs by side and figures, so that the order given shows nowhere.
fn order_of(columns: &[Vec<f64>], current: &[bool]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..current.len()).collect();
    order.sort_by(|&a, &b| {
        let by_figures = columns
            .iter()
            .map(|c| c[a].total_cmp(&c[b]))
            .find(|o| o.is_ne());
        let sides = current[a].cmp(&current[b]);
        sides.then(by_figures.unwrap_or(std::cmp::Ordering::Equal))
    });
    order
}

/// A column less its mean, of length 1; zeros without variance.
fn unit(column: &[f64], order: &[usize]) -> Vec<f64> {
    // Around the first value, so that equal values are exactly zero.
    let origin = column[order[0]];
    let n = order.len() as f64;
    let mean = order.iter().map(|&i| column[i] - origin).sum::<f64>() / n;
    let centred: Vec<f64> = order.iter().map(|&i| column[i] - origin - mean).collect();
    let length = centred.iter().map(|v| v * v).sum::<f64>().sqrt();
    if length > 0.0 {
        centred.iter().map(|v| v / length).collect()
    } else {
        centred
    }
}

/// FNV-1a (Fowler, Noll and Vo 1991) over the sides and the bits of every value, word by word.
fn seed(columns: &[Vec<f64>], current: &[bool], order: &[usize]) -> u64 {
    let sides = order.iter().map(|&i| u64::from(current[i]));
    let values = columns
        .iter()
        .flat_map(|c| order.iter().map(|&i| c[i].to_bits()));
    sides
        .chain(values)
        .fold(0xcbf2_9ce4_8422_2325, |hash, word| {
            (hash ^ word).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::distribution::student_t_sf;

    const SIDES: [bool; 6] = [false, false, false, true, true, true];

    fn test(columns: &[Vec<f64>], t: &[f64]) -> Rotation {
        let less: Vec<f64> = t.iter().map(|t| -t).collect();
        greatest_t(columns, &SIDES, t, &less).expect("six runs")
    }

    /// Within three standard errors of a share of the draws.
    fn close(p: f64, expected: f64) {
        let error = (expected * (1.0 - expected) / DRAWS as f64).sqrt();
        assert!((p - expected).abs() < 3.0 * error + 1e-4, "{p} {expected}");
    }

    #[test]
    fn one_figure_is_students_t() {
        // With one column the rotation test is the t test: t = 2.131847 has P(T₄ > t) = .05.
        let column = vec![0.1, 0.4, 0.2, 0.5, 0.3, 0.6];
        let rotation = test(std::slice::from_ref(&column), &[2.131_847]);
        close(rotation.p_more[0], 0.05);
        close(rotation.p_less[0], 0.95);
        // The t beyond which one in twenty lies is that t.
        let critical = rotation.critical_t(0.05);
        close(student_t_sf(critical, 4.0), 0.05);
    }

    #[test]
    fn the_same_figure_many_times_counts_once() {
        let column = vec![0.1, 0.4, 0.2, 0.5, 0.3, 0.6];
        let rotation = test(&vec![column; 30], &[2.131_847; 30]);
        for p in &rotation.p_more {
            close(*p, 0.05);
        }
    }

    #[test]
    fn figures_that_have_nothing_in_common_count_each() {
        // Two columns at right angles in the five dimensions: each t at .05, the greater of both about 1 − .95² = .0975;
        // directions that are near to one are far from the other, so that it is nearly .1 for rare t.
        let columns = [
            vec![1.0, -1.0, 0.0, 0.0, 0.0, 0.0],
            vec![0.0, 0.0, 1.0, -1.0, 0.0, 0.0],
        ];
        let rotation = test(&columns, &[4.604_095, 0.0]);
        // P(T₄ > 4.604095) = .005; cosines of two axes are never both that near, so that the sum is exact: .01.
        close(rotation.p_more[0], 0.01);
        assert!(rotation.p_more[1] >= rotation.p_more[0]);
    }

    #[test]
    fn what_is_rejected_leaves_the_others_to_themselves() {
        // Step-down: beside a figure that is beyond doubt, the second is judged as if alone.
        let columns = [
            vec![1.0, -1.0, 0.0, 0.0, 0.0, 0.0],
            vec![0.0, 0.0, 1.0, -1.0, 0.0, 0.0],
        ];
        let rotation = test(&columns, &[1e6, 2.131_847]);
        assert_eq!(rotation.p_more[0], 1.0 / (DRAWS + 1) as f64);
        close(rotation.p_more[1], 0.05);
    }

    #[test]
    fn the_order_of_runs_changes_nothing() {
        let column = vec![0.1, 0.4, 0.2, 0.5, 0.3, 0.6];
        let turned = vec![0.3, 0.6, 0.5, 0.2, 0.1, 0.4];
        let sides = [true, true, true, false, false, false];
        let other = greatest_t(&[turned], &sides, &[1.0], &[-1.0]);
        let one = greatest_t(&[column], &SIDES, &[1.0], &[-1.0]);
        assert_eq!(other, one);
    }

    #[test]
    fn a_figure_without_variance_is_in_no_draw() {
        let columns = [vec![0.1, 0.4, 0.2, 0.5, 0.3, 0.6], vec![7.0; 6]];
        let rotation = test(&columns, &[2.131_847, 0.0]);
        close(rotation.p_more[0], 0.05);
    }

    #[test]
    fn too_few_runs_and_ragged_columns_are_said_so() {
        let few = greatest_t(&[vec![1.0, 2.0]], &[false, true], &[0.0], &[0.0]);
        assert_eq!(few, Err(Shortfall::TooFewRuns { runs: 2, needed: 3 }));
        let ragged = greatest_t(&[vec![1.0; 5]], &SIDES, &[0.0], &[0.0]);
        assert_eq!(ragged, Err(Shortfall::OutOfDomain));
    }

    #[test]
    fn a_chance_becomes_the_t_that_has_it() {
        assert!((t_of(0.05, 4.0) - 2.131_847).abs() < 1e-6);
        assert!((t_of(0.95, 4.0) + 2.131_847).abs() < 1e-6);
    }
}
