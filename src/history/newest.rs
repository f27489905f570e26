//! The newest run against the runs of the current segment.
//!
//! On logarithms, a run that follows n runs of mean m and deviation s lies within m ± t·s·√(1 + 1/n) with the
//! probability that t, Student's quantile on n − 1 degrees of freedom, stands for (the prediction interval of a normal;
//! Hahn and Meeker, *Statistical Intervals*, 1991, chapter 4). One value is judged; what follows is the caller's.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::effect::rounding_deviation;
use super::segment::{NotPositive, logarithms};

pub mod failures;
mod power;

pub use power::minimum_detectable;

/// Fewest earlier runs from which the noise is estimated.
pub const MIN_RUNS: usize = 5;

/// What counts as outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Probability of an unchanged run beyond one end of the interval, 0 to 0.5.
    pub alpha: f64,
    /// Smallest change that matters, a ratio: 0.05 for 5 %.
    pub margin: f64,
}

impl Default for Options {
    /// One in a hundred, 5 %.
    fn default() -> Self {
        Self {
            alpha: 0.01,
            margin: 0.05,
        }
    }
}

/// Where the newest run lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Inside the interval.
    Inside,
    /// Above its upper end.
    Above,
    /// Below its lower end.
    Below,
}

/// The newest run and what the earlier ones predict, values in the unit of the series.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Earlier runs that predict it.
    pub runs: usize,
    /// The newest run.
    pub value: f64,
    /// Geometric mean of the earlier runs.
    pub expected: f64,
    /// Lower end of the interval; an unchanged run lies below with probability alpha.
    pub lower: f64,
    /// Upper end of the interval; an unchanged run lies above with probability alpha.
    pub upper: f64,
    /// Standard deviation between the earlier runs, in logs: 0.05 is noise of about 5 %.
    pub noise: f64,
    /// `value` ÷ `expected` − 1: 0.05 for +5 %.
    pub change: f64,
    /// Where the newest run lies.
    pub side: Side,
    /// Whether the change is at least the margin, up (by ×(1 + margin)) or down (by ÷(1 + margin)).
    pub beyond_margin: bool,
    /// Smallest increase that one run would show as outside with probability 0.8: 0.21 for +21 %.
    pub minimum_detectable: f64,
    /// One-sided p-value that the newest run is higher than predicted; 1 − p that it is lower.
    pub p_above: f64,
}

/// Why nothing can be said of the newest run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NotEnoughData {
    /// Too few earlier runs in the segment.
    FewRuns {
        /// How many there are.
        runs: usize,
        /// How many it takes.
        required: usize,
    },
    /// A value has no logarithm; in `earlier` by its index, the newest run by the number of earlier ones.
    NotPositive(NotPositive),
    /// The earlier runs are all equal and nothing tells how they were rounded: there is no noise to compare with.
    NoNoise,
}

impl std::fmt::Display for NotEnoughData {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::FewRuns { runs, required } => write!(
                f,
                "the noise between runs is known from {required} earlier runs on, and there are {runs}"
            ),
            Self::NotPositive(NotPositive { value, .. }) => {
                write!(f, "{value} has no logarithm, so no ratio can be judged")
            }
            Self::NoNoise => write!(
                f,
                "the earlier runs are all equal, so their noise is unknown"
            ),
        }
    }
}

/// Judges `newest` by the `earlier` runs of its segment, in order, without it.
///
/// The noise is at least that of rounding, as far as ties among the runs give rounding away.
pub fn predict(
    earlier: &[f64],
    newest: f64,
    options: &Options,
) -> Result<Prediction, NotEnoughData> {
    predict_from(&[earlier], newest, options)
}

/// Judges `newest` by the last of the `segments`, each the runs of one level in order.
///
/// Where that segment has fewer than [`MIN_RUNS`] runs, its level is judged with the noise of all segments together:
/// their squares over the sum of their degrees of freedom, which are then those of t.
pub fn predict_from(
    segments: &[&[f64]],
    newest: f64,
    options: &Options,
) -> Result<Prediction, NotEnoughData> {
    let basis = Basis::of(segments, newest)?;
    let reach = critical(basis.degrees, options.alpha) * basis.scale;
    let (mean, shift) = (basis.mean, basis.shift);
    let side = match shift {
        s if s > reach => Side::Above,
        s if s < -reach => Side::Below,
        _ => Side::Inside,
    };
    Ok(Prediction {
        runs: basis.runs,
        value: newest,
        expected: mean.exp(),
        lower: (mean - reach).exp(),
        upper: (mean + reach).exp(),
        noise: basis.noise,
        change: shift.exp_m1(),
        side,
        beyond_margin: basis.is_beyond(options.margin),
        minimum_detectable: power::minimum_detectable_at(basis.scale, basis.degrees, options.alpha),
        p_above: basis.p_above(),
    })
}

/// How many of the runs of a level, from its first on, may predict the next: all but those at its end that were
/// themselves beyond what the runs before them predict, on the side `worse`. Such a run is not yet known to be the new
/// normal, and as part of the level it would hide the next one. It joins the level as soon as a run is inside again: one
/// bad run is part of the noise. The levels `before` lend theirs to the first runs.
pub fn baseline(before: &[&[f64]], level: &[f64], worse: Side, options: &Options) -> usize {
    let beyond = |level: &[f64], next: f64| {
        let segments = [before, &[level]].concat();
        Basis::of(&segments, next).is_ok_and(|basis| {
            let p = match worse {
                Side::Below => 1.0 - basis.p_above(),
                Side::Above | Side::Inside => basis.p_above(),
            };
            p <= options.alpha && basis.is_beyond(options.margin)
        })
    };
    unresolved(level, beyond)
}

/// The number of runs before those at the end that are each `beyond` the runs before the first of them.
fn unresolved<T: Copy>(level: &[T], beyond: impl Fn(&[T], T) -> bool) -> usize {
    let mut kept = 0;
    for (place, run) in level.iter().enumerate() {
        if !beyond(&level[..kept], *run) {
            kept = place + 1;
        }
    }
    kept
}

/// What a prediction is made from, in logs.
struct Basis {
    runs: usize,
    /// Mean of the current level.
    mean: f64,
    /// Deviation between runs.
    noise: f64,
    /// Deviation of the newest run about the mean, which is uncertain itself.
    scale: f64,
    degrees: usize,
    /// Newest run minus mean.
    shift: f64,
}

impl Basis {
    fn of(segments: &[&[f64]], newest: f64) -> Result<Self, NotEnoughData> {
        let current = segments.last().copied().unwrap_or_default();
        let lending = if current.len() >= MIN_RUNS {
            &segments[segments.len() - 1..]
        } else {
            segments
        };
        let known = logarithms_of(lending, newest)?;
        let (squares, degrees) = known.iter().fold((0.0, 0), |(squares, degrees), logs| {
            let (_, own) = moments(logs);
            (squares + own, degrees + logs.len().saturating_sub(1))
        });
        let runs = current.len();
        if degrees + 1 < MIN_RUNS || runs == 0 {
            return Err(NotEnoughData::FewRuns {
                runs,
                required: MIN_RUNS,
            });
        }
        let deviation = (squares / degrees as f64).sqrt();
        let noise = deviation.max(rounding_deviation(&[current, &[newest]].concat()));
        if noise <= 0.0 {
            return Err(NotEnoughData::NoNoise);
        }
        let (mean, _) = moments(&known[known.len() - 1]);
        Ok(Self {
            runs,
            mean,
            noise,
            scale: noise * (1.0 + 1.0 / runs as f64).sqrt(),
            degrees,
            shift: newest.ln() - mean,
        })
    }

    /// One-sided p that the newest run is higher than predicted.
    fn p_above(&self) -> f64 {
        student(self.degrees).map_or(f64::NAN, |t| t.sf(self.shift / self.scale))
    }

    /// A change of exactly the margin counts, whatever its logarithm was rounded to.
    fn is_beyond(&self, margin: f64) -> bool {
        self.shift.abs() >= margin.ln_1p() - 1e-12
    }
}

/// The segments' logarithms; a value that has none is told by its index among all earlier runs.
fn logarithms_of(segments: &[&[f64]], newest: f64) -> Result<Vec<Vec<f64>>, NotEnoughData> {
    let all = [segments.concat(), vec![newest]].concat();
    let mut rest = logarithms(&all).map_err(NotEnoughData::NotPositive)?;
    let cut = |segment: &&[f64]| {
        let later = rest.split_off(segment.len());
        std::mem::replace(&mut rest, later)
    };
    Ok(segments.iter().map(cut).collect())
}

/// Mean, and sum of the squares about it.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum())
}

/// Student's t on so many degrees of freedom.
fn student(degrees: usize) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, degrees as f64).ok()
}

/// The quantile of t that is exceeded with probability `alpha`; never exceeded where there is no such t.
fn critical(degrees: usize, alpha: f64) -> f64 {
    student(degrees).map_or(f64::INFINITY, |t| -t.inverse_cdf(alpha))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logs −0.02 −0.01 0 0.01 0.02 about ln 100: mean 0, deviation √(0.001 / 4) = 0.0158114.
    fn five() -> Vec<f64> {
        [-0.02, -0.01, 0.0, 0.01, 0.02_f64]
            .iter()
            .map(|log| 100.0 * log.exp())
            .collect()
    }

    #[test]
    fn interval_of_five_runs() {
        // t(0.99, 4) = 3.746947; reach = 3.746947 · 0.0158114 · √1.2 = 0.0648992; 100·e^±0.0648992.
        let prediction = predict(&five(), 107.0, &Options::default()).unwrap();
        assert!((prediction.expected - 100.0).abs() < 1e-9);
        assert!((prediction.noise - 0.015_811_4).abs() < 1e-7);
        assert!((prediction.upper - 106.7051).abs() < 1e-3, "{prediction:?}");
        assert!((prediction.lower - 93.7162).abs() < 1e-3, "{prediction:?}");
        assert!((prediction.change - 0.07).abs() < 1e-12);
        assert_eq!(
            (prediction.side, prediction.beyond_margin),
            (Side::Above, true)
        );
        assert!(prediction.p_above < 0.01);
    }

    #[test]
    fn inside_and_below() {
        let side = |value| predict(&five(), value, &Options::default()).unwrap().side;
        assert_eq!(side(106.0), Side::Inside);
        assert_eq!(side(93.0), Side::Below);
    }

    #[test]
    fn a_change_of_the_margin_is_beyond_it() {
        let beyond = |value| {
            let prediction = predict(&five(), value, &Options::default());
            prediction.unwrap().beyond_margin
        };
        assert!(beyond(105.0));
        assert!(beyond(100.0 / 1.05));
        assert!(!beyond(104.9));
        assert!(!beyond(95.3));
    }

    #[test]
    fn four_runs_are_not_enough() {
        let refused = predict(&five()[..4], 100.0, &Options::default()).unwrap_err();
        let few = NotEnoughData::FewRuns {
            runs: 4,
            required: 5,
        };
        assert_eq!(refused, few);
        assert_eq!(
            refused.to_string(),
            "the noise between runs is known from 5 earlier runs on, and there are 4"
        );
    }

    #[test]
    fn a_bad_run_does_not_hide_the_next() {
        let calm = [100.0, 101.0, 99.0, 100.5, 99.5, 100.0];
        let level = [&calm[..], &[130.0, 131.0, 70.0]].concat();
        let options = Options::default();
        let of = |runs: usize| baseline(&[], &level[..runs], Side::Above, &options);
        // 130 and 131 are held out until 70, which is better, shows them to have been bad runs.
        assert_eq!([of(4), of(6), of(7), of(8), of(9)], [4, 6, 6, 6, 9]);
        // After a level of the same noise the first runs are judged, too.
        assert_eq!(
            baseline(&[&calm], &[200.0, 260.0], Side::Above, &options),
            1
        );
    }

    #[test]
    fn a_short_segment_borrows_noise() {
        // Two runs at ln 200 ± 0.01: squares 0.0002 on 1 degree, with the five's 0.001 on 4: √(0.0012 / 5) = 0.0154919.
        let current = [200.0 * (-0.01_f64).exp(), 200.0 * 0.01_f64.exp()];
        let before = five();
        let prediction = predict_from(&[&before, &current], 204.0, &Options::default()).unwrap();
        assert!(
            (prediction.noise - 0.015_491_9).abs() < 1e-7,
            "{prediction:?}"
        );
        assert!((prediction.expected - 200.0).abs() < 1e-9);
        // t(0.99, 5) = 3.364930; reach = 3.364930 · 0.0154919 · √1.5 = 0.0638449.
        assert!((prediction.upper - 200.0 * 0.063_844_9_f64.exp()).abs() < 1e-3);
        assert_eq!((prediction.runs, prediction.side), (2, Side::Inside));
        assert!(predict_from(&[&current], 204.0, &Options::default()).is_err());
    }

    #[test]
    fn equal_runs_have_no_noise() {
        let refused = predict(&[5.0; 6], 5.0, &Options::default());
        assert_eq!(refused, Err(NotEnoughData::NoNoise));
    }

    #[test]
    fn rounding_is_the_least_noise() {
        // Tens about 140: 10 / √12 / 140 = 0.0206197 is more than the deviation of the five.
        let prediction = predict(&[140.0; 6], 150.0, &Options::default()).unwrap();
        assert!((prediction.noise - 0.020_619_7).abs() < 1e-6);
        assert_eq!(prediction.side, Side::Inside);
    }

    #[test]
    fn a_newest_run_of_zero() {
        let refused = predict(&five(), 0.0, &Options::default());
        let expected = NotPositive {
            index: 5,
            value: 0.0,
        };
        assert_eq!(refused, Err(NotEnoughData::NotPositive(expected)));
    }
}
