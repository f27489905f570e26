//! The newest run of each series, and which of all findings are more than so many series show by chance.

use super::changes::Accepted;
use super::series_metric::Margin;
use super::{Algorithm, Group, Newest, Prediction, Series, Settings, Word};
use crate::comparison::multiplicity::rejected;
use crate::history::counts::Failures;
use crate::history::newest::{self, NotEnoughData, Side, failures};
use crate::history::segment::Direction;
use crate::units::{Unit, signed_percent};

/// A newest run that would not show a doubling cannot be told from one.
const BLIND: f64 = 1.0;

/// What is beyond chance among all series, by index of the series.
#[derive(Clone, Debug, Default)]
pub struct Beyond {
    /// The newest run.
    pub newest: Vec<bool>,
    /// The step that began the current level, or the drift.
    pub current: Vec<bool>,
}

/// Judges the newest run of every series.
pub fn judge(group: &mut Group, accepted: &Accepted, settings: &Settings) -> Beyond {
    let last = group.runs.len().saturating_sub(1);
    let mut p_newest = Vec::new();
    let mut p_current = Vec::new();
    for (i, series) in group.series.iter_mut().enumerate() {
        series.newest = newest_of(series, last, accepted.begin_of(i), settings);
        let prediction = series.newest.prediction;
        p_newest.push(prediction.map(|prediction| prediction.p_worse));
        p_current.push(Some(current_p(series)));
    }
    let advisory: Vec<bool> = group.series.iter().map(|series| series.advisory).collect();
    let is_otava = matches!(settings.algorithm, Algorithm::Otava(_));
    Beyond {
        newest: beyond(&p_newest, &advisory, settings),
        current: if is_otava {
            // Otava's own level of significance holds.
            vec![true; advisory.len()]
        } else {
            beyond(&p_current, &advisory, settings)
        },
    }
}

/// Which p are beyond chance: those of series that count among each other, those shown only each by itself.
fn beyond(p: &[Option<f64>], advisory: &[bool], settings: &Settings) -> Vec<bool> {
    let family: Vec<usize> = (0..p.len())
        .filter(|i| !advisory[*i] && p[*i].is_some())
        .collect();
    let values: Vec<f64> = family.iter().filter_map(|i| p[*i]).collect();
    let rejected = rejected(&values, settings.false_discovery);
    let mut beyond: Vec<bool> = p
        .iter()
        .map(|p| p.is_some_and(|p| p <= settings.alpha))
        .collect();
    for (i, rejected) in family.into_iter().zip(rejected) {
        beyond[i] = beyond[i] && rejected;
    }
    beyond
}

/// p of what began the current level; 1 of nothing.
fn current_p(series: &Series) -> f64 {
    match (&series.drift, series.steps.last()) {
        (Some(drift), _) => drift.p,
        (None, Some(step)) => step.p,
        (None, None) => 1.0,
    }
}

fn newest_of(series: &Series, last: usize, begin: Option<usize>, settings: &Settings) -> Newest {
    let value = series.values.get(last).copied().flatten();
    let undecided = |because: String| Newest {
        word: Word::Undecided,
        because,
        value,
        prediction: None,
    };
    let Some(value) = value else {
        return undecided(absence(series));
    };
    if begin == Some(last) {
        return Newest {
            word: Word::Within,
            because: "its level was acknowledged with this run".to_owned(),
            value: Some(value),
            prediction: None,
        };
    }
    let predicted = if series.metric.is_share() {
        predict_share(series, last, settings)
    } else {
        predict_level(series, last, value, settings)
    };
    match predicted {
        Ok((prediction, side, matters)) => {
            let (word, because) = describe(series, value, &prediction, side, matters);
            Newest {
                word,
                because,
                value: Some(value),
                prediction: Some(prediction),
            }
        }
        Err(why) => undecided(why.to_string()),
    }
}

fn absence(series: &Series) -> String {
    let had = series.values.iter().flatten().count();
    if had == 0 {
        format!("no run has enough requests for {}", series.metric.name())
    } else {
        format!(
            "the newest run has no {} of it (no requests, too few, or a source without it); {had} earlier runs have",
            series.metric.name()
        )
    }
}

type Judged = Result<(Prediction, Side, bool), NotEnoughData>;

/// The runs of each level before the newest run; the current level last, empty if it began with the newest.
fn before<T: Copy>(series: &Series, last: usize, values: &[Option<T>]) -> Vec<Vec<T>> {
    let level = |level: &super::Level| {
        let runs = level.first..=level.last.min(last.saturating_sub(1));
        runs.filter_map(|run| values.get(run).copied().flatten())
            .collect()
    };
    series.levels.iter().map(level).collect()
}

fn predict_level(series: &Series, last: usize, value: f64, settings: &Settings) -> Judged {
    let segments = before(series, last, &series.values);
    let segments: Vec<&[f64]> = segments.iter().map(Vec::as_slice).collect();
    let current = segments.last().copied().unwrap_or_default();
    let margin = match series
        .metric
        .margin(crate::history::segment::median_of(current))
    {
        Margin::Relative(margin) | Margin::Points(margin) => margin,
    };
    let options = newest::Options {
        alpha: settings.alpha,
        margin,
    };
    let found = newest::predict_from(&segments, value, &options)?;
    let worse = series.metric.more_is_worse();
    let prediction = Prediction {
        runs: found.runs,
        expected: found.expected,
        lower: found.lower,
        upper: found.upper,
        noise: found.noise,
        minimum_detectable: if worse {
            found.minimum_detectable
        } else {
            // As much less as it is more, in logs.
            1.0 - 1.0 / (1.0 + found.minimum_detectable)
        },
        p_worse: if worse {
            found.p_above
        } else {
            1.0 - found.p_above
        },
    };
    Ok((prediction, found.side, found.beyond_margin))
}

fn predict_share(series: &Series, last: usize, settings: &Settings) -> Judged {
    let segments = before::<Failures>(series, last, &series.failures);
    let segments: Vec<&[Failures]> = segments.iter().map(Vec::as_slice).collect();
    let Some(newest) = series.failures.get(last).copied().flatten() else {
        return Err(NotEnoughData::FewRuns {
            runs: 0,
            required: newest::MIN_RUNS,
        });
    };
    let options = failures::Options {
        alpha: settings.alpha,
        ..failures::Options::default()
    };
    let found = failures::predict(&segments, newest, &options)?;
    let prediction = Prediction {
        runs: found.runs,
        expected: found.expected,
        lower: found.lower,
        upper: found.upper,
        noise: found.dispersion,
        minimum_detectable: found.minimum_detectable,
        p_worse: found.p_above,
    };
    Ok((prediction, found.side, found.beyond_margin))
}

/// What the prediction alone says; whether it is more than chance is settled among all series.
fn describe(
    series: &Series,
    value: f64,
    prediction: &Prediction,
    side: Side,
    matters: bool,
) -> (Word, String) {
    let unit = series.metric.unit();
    let worse = if series.metric.more_is_worse() {
        Side::Above
    } else {
        Side::Below
    };
    let at_upper = match side {
        Side::Above => true,
        Side::Below => false,
        Side::Inside => worse == Side::Above,
    };
    let limit = if at_upper {
        prediction.upper
    } else {
        prediction.lower
    };
    let change = change(series, prediction.expected, value);
    let (runs, limit) = (prediction.runs, unit.human(limit));
    let earlier = if runs == 1 {
        "run predicts"
    } else {
        "runs predict"
    };
    match side {
        Side::Inside if !series.metric.is_share() && prediction.minimum_detectable > BLIND => (
            Word::Undecided,
            format!(
                "{change}, but with noise of {} between runs only a change of {} would show",
                Unit::Ratio.human(prediction.noise),
                signed_percent(prediction.minimum_detectable)
            ),
        ),
        Side::Inside => (
            Word::Within,
            format!(
                "{change}, within what {runs} earlier {earlier} (limit {limit}); one run shows {}",
                visible(series, prediction.minimum_detectable)
            ),
        ),
        _ if !matters => (
            Word::Within,
            format!(
                "{change}, outside what {runs} earlier {earlier} ({limit}), but too little to matter"
            ),
        ),
        side if side == worse => (
            Word::Regressed,
            format!(
                "{change}, outside what {runs} earlier {earlier} (limit {limit}); rerun to confirm"
            ),
        ),
        _ => (
            Word::Improved,
            format!("{change}, better than what {runs} earlier {earlier} (limit {limit})"),
        ),
    }
}

fn visible(series: &Series, least: f64) -> String {
    if series.metric.is_share() {
        format!("+{:.2} points", 100.0 * least)
    } else if series.metric.more_is_worse() {
        signed_percent(least)
    } else {
        signed_percent(-least)
    }
}

/// A change for people: relative, or for failures in points.
pub fn change(series: &Series, before: f64, after: f64) -> String {
    difference(series.metric, before, after)
}

/// The same of a metric.
pub fn difference(metric: super::SeriesMetric, before: f64, after: f64) -> String {
    if metric.is_share() {
        format!("{:+.2} points", 100.0 * (after - before))
    } else {
        signed_percent(after / before - 1.0)
    }
}

/// Whether a direction is for the worse.
pub fn is_worse(series: &Series, direction: Direction) -> bool {
    (direction == Direction::Up) == series.metric.more_is_worse()
}

/// Whether a value is worse than another.
pub fn is_worse_value(series: &Series, before: f64, after: f64) -> bool {
    (after > before) == series.metric.more_is_worse()
}
