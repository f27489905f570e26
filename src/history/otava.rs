//! Change points as Apache Otava 0.8 (formerly Hunter) finds them, for those who move from it.
//!
//! Split: windows that overlap by half are searched by E-divisive means (Matteson and James, arXiv 1306.4933), each
//! candidate accepted by a t-test at a relaxed level. Merge: the weakest points are removed one by one until all
//! remaining ones are significant and large enough (Fleming et al., Hunter, arXiv 2301.03034).
//!
//! The answers are Otava's, with its peculiarities: the deviations in the t-test divide by n and not by n − 1, and
//! after a removal the two points *behind* it are tested again, not its neighbours.

use statrs::function::beta::beta_reg;

mod divergence;

use divergence::Divergence;

/// Otava's parameters under its own names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// Runs in a window of the split step; at least 2.
    pub window_len: usize,
    /// Largest p-value of a change point that is reported.
    pub max_pvalue: f64,
    /// Smallest relative change that is reported, a ratio: 0.05 for 5 %.
    pub min_magnitude: f64,
}

impl Default for Parameters {
    /// Otava's own defaults.
    fn default() -> Self {
        Self {
            window_len: 50,
            max_pvalue: 0.001,
            min_magnitude: 0.0,
        }
    }
}

/// A change point with Otava's statistics of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OtavaChange {
    /// Index of the first run after the change.
    pub index: usize,
    /// The divergence Q̂ at the moment the point was found, in the unit of the series.
    pub qhat: f64,
    /// Two-sided p-value of the t-test between the neighbouring segments.
    pub pvalue: f64,
    /// Mean of the segment before, in the unit of the series.
    pub mean_before: f64,
    /// Mean of the segment after, likewise.
    pub mean_after: f64,
    /// Standard deviation of the segment before (divided by n).
    pub std_before: f64,
    /// Standard deviation of the segment after (divided by n).
    pub std_after: f64,
}

impl OtavaChange {
    /// Relative change of the mean, 0.05 for +5 %; zero when the mean before is zero, as Otava says.
    pub fn relative_change(&self) -> f64 {
        relative(self.mean_before, self.mean_after)
    }

    /// The larger of the relative changes forwards and backwards, without sign.
    fn magnitude(&self) -> f64 {
        let backward = relative(self.mean_after, self.mean_before);
        self.relative_change().abs().max(backward.abs())
    }
}

fn relative(from: f64, to: f64) -> f64 {
    if from == 0.0 { 0.0 } else { to / from - 1.0 }
}

/// Finds the change points of `series`, one value per run in order.
pub fn detect(series: &[f64], parameters: &Parameters) -> Vec<OtavaChange> {
    let relaxed = match parameters.max_pvalue {
        p if p < 0.05 => p * 10.0,
        p if p < 0.5 => p * 2.0,
        p => p,
    };
    let weak = split(series, parameters.window_len.max(2), relaxed);
    merge(weak, series, parameters)
}

fn split(series: &[f64], window_len: usize, max_pvalue: f64) -> Vec<OtavaChange> {
    let mut found: Vec<(usize, f64)> = Vec::new();
    let mut start = 0;
    while start < series.len() {
        let end = (start + window_len).min(series.len());
        let in_window = divisive(&series[start..end], max_pvalue);
        let last = in_window.last().map_or(0, |(index, _)| start + index);
        for (index, qhat) in in_window {
            if !found.iter().any(|(known, _)| *known == start + index) {
                found.push((start + index, qhat));
            }
        }
        start = last.max(start + window_len / 2);
    }
    found.sort_by_key(|(index, _)| *index);
    let bounds = bounds(found.iter().map(|(index, _)| *index), series.len());
    found
        .iter()
        .zip(bounds.windows(3))
        .map(|((_, qhat), b)| compare(series, [b[0], b[1], b[2]], *qhat))
        .collect()
}

/// E-divisive with a t-test: the largest divergence of all present segments, until one is not significant.
/// Gives (index, Q̂) in order of index.
fn divisive(window: &[f64], max_pvalue: f64) -> Vec<(usize, f64)> {
    let divergence = Divergence::new(window);
    let mut found: Vec<(usize, f64)> = Vec::new();
    loop {
        let bounds = bounds(found.iter().map(|(index, _)| *index), window.len());
        let mut best: Option<([usize; 3], f64)> = None;
        for segment in bounds.windows(2).filter(|b| b[1] - b[0] > 1) {
            let (index, qhat) = divergence.largest(segment[0], segment[1]);
            if best.is_none_or(|(_, known)| qhat > known) {
                best = Some(([segment[0], index, segment[1]], qhat));
            }
        }
        let Some((sides, qhat)) = best else {
            return found;
        };
        let significant = compare(window, sides, qhat).pvalue <= max_pvalue;
        if !significant {
            return found;
        }
        found.push((sides[1], qhat));
        found.sort_by_key(|(index, _)| *index);
    }
}

fn merge(
    mut points: Vec<OtavaChange>,
    series: &[f64],
    parameters: &Parameters,
) -> Vec<OtavaChange> {
    while let Some(least) = least_significant(&points) {
        let weakest = if points[least].pvalue < parameters.max_pvalue {
            let smallest = smallest_change(&points);
            if points[smallest].magnitude() > parameters.min_magnitude {
                break;
            }
            smallest
        } else {
            least
        };
        points.remove(weakest);
        let bounds = bounds(points.iter().map(|p| p.index), series.len());
        for behind in weakest..points.len().min(weakest + 2) {
            let sides = [bounds[behind], bounds[behind + 1], bounds[behind + 2]];
            points[behind] = compare(series, sides, points[behind].qhat);
        }
    }
    points
}

/// The first of the largest p-values; one that is not a number is never larger, as in Python's `max`.
fn least_significant(points: &[OtavaChange]) -> Option<usize> {
    (0..points.len()).reduce(|worst, i| {
        if points[i].pvalue > points[worst].pvalue {
            i
        } else {
            worst
        }
    })
}

fn smallest_change(points: &[OtavaChange]) -> usize {
    (0..points.len())
        .reduce(|least, i| {
            if points[i].magnitude() < points[least].magnitude() {
                i
            } else {
                least
            }
        })
        .unwrap_or(0)
}

/// 0, the indices, and the length: segment i is `bounds[i]..bounds[i + 1]`.
fn bounds(indices: impl Iterator<Item = usize>, len: usize) -> Vec<usize> {
    std::iter::once(0)
        .chain(indices)
        .chain(std::iter::once(len))
        .collect()
}

/// Student's t-test between `series[begin..index]` and `series[index..end]`, equal variances assumed.
fn compare(series: &[f64], [begin, index, end]: [usize; 3], qhat: f64) -> OtavaChange {
    let (left, right) = (&series[begin..index], &series[index..end]);
    let (mean_before, std_before) = moments(left);
    let (mean_after, std_after) = moments(right);
    let (n1, n2) = (left.len() as f64, right.len() as f64);
    let df = n1 + n2 - 2.0;
    let pvalue = if df > 0.0 {
        let pooled = ((n1 - 1.0) * std_before.powi(2) + (n2 - 1.0) * std_after.powi(2)) / df;
        let t = (mean_before - mean_after) / (pooled * (1.0 / n1 + 1.0 / n2)).sqrt();
        two_sided(t, df)
    } else {
        1.0
    };
    OtavaChange {
        index,
        qhat,
        pvalue,
        mean_before,
        mean_after,
        std_before,
        std_after,
    }
}

/// Mean and standard deviation (divided by n; zero of a single value).
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / n).sqrt())
}

/// P(|T| ≥ |t|) of Student's t with `df` degrees of freedom: I(df / (df + t²); df / 2, 1 / 2), the regularised
/// incomplete beta function. Not a number when t is not.
fn two_sided(t: f64, df: f64) -> f64 {
    if t.is_nan() {
        return f64::NAN;
    }
    beta_reg(df / 2.0, 0.5, df / (df + t * t))
}
