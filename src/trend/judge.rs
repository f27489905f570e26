//! The newest run of each series, and which of all findings are more than so many series show by chance.

use super::changes::Accepted;
use super::series_metric::Margin;
use super::{Algorithm, Group, Level, Newest, Prediction, Series, Settings, Word};
use crate::comparison::multiplicity::rejected;
use crate::history::counts::Failures;
use crate::history::newest::{self, NotEnoughData, Side, failures};
use crate::history::segment::{Direction, median_of};
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
    let advisory: Vec<bool> = group.series.iter().map(|series| series.advisory).collect();
    let p_current: Vec<_> = group.series.iter().map(|s| Some(current_p(s))).collect();
    let is_otava = matches!(settings.algorithm, Algorithm::Otava(_));
    let current = if is_otava {
        // Otava's own level of significance holds.
        vec![true; advisory.len()]
    } else {
        beyond(&p_current, &advisory, settings)
    };
    let mut p_newest = Vec::new();
    for (i, series) in group.series.iter_mut().enumerate() {
        let begin = accepted.begin_of(i);
        let levels = levels(series, begin, current[i]);
        series.newest = newest_of(series, &levels, last, begin, settings);
        let prediction = series.newest.prediction;
        p_newest.push(prediction.map(|prediction| prediction.p_worse));
    }
    Beyond {
        newest: beyond(&p_newest, &advisory, settings),
        current,
    }
}

/// The levels by which the newest run is judged. A last step for the worse that is no more than chance among all series
/// (and was not acknowledged) begins none: its runs would be the new normal before anyone could say so.
fn levels(series: &Series, begin: Option<usize>, significant: bool) -> Vec<Level> {
    let mut levels = series.levels.clone();
    let Some(step) = series.steps.last().filter(|_| series.drift.is_none()) else {
        return levels;
    };
    let doubtful =
        !significant && is_worse(series, step.direction) && begin.is_none_or(|run| run < step.run);
    if doubtful && levels.last().is_some_and(|level| level.first == step.run) {
        let newest = levels.pop();
        if let (Some(level), Some(newest)) = (levels.last_mut(), newest) {
            level.last = newest.last;
            level.runs += newest.runs;
        }
    }
    levels
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

fn newest_of(
    series: &Series,
    levels: &[Level],
    last: usize,
    begin: Option<usize>,
    settings: &Settings,
) -> Newest {
    let value = series.values.get(last).copied().flatten();
    let undecided = |because: String| Newest {
        word: Word::Undecided,
        because,
        value,
        prediction: None,
        repeats: 0,
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
            repeats: 0,
        };
    }
    let predicted = if series.metric.is_share() {
        predict_share(series, levels, last, settings)
    } else {
        predict_level(series, levels, last, value, settings)
    };
    match predicted {
        Ok(judged) => {
            let (word, because) = describe(series, value, &judged);
            Newest {
                word,
                because,
                value: Some(value),
                prediction: Some(judged.prediction),
                repeats: judged.repeats,
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

/// What the level says of the newest run.
struct Judged {
    prediction: Prediction,
    side: Side,
    /// Whether the change is as large as the margin.
    matters: bool,
    /// Runs right before that were beyond their prediction, too.
    repeats: usize,
}

/// The runs of each level before the newest run; the current level last, empty if it began with the newest.
fn before<T: Copy>(levels: &[Level], last: usize, values: &[Option<T>]) -> Vec<Vec<T>> {
    let level = |level: &Level| {
        let runs = level.first..=level.last.min(last.saturating_sub(1));
        runs.filter_map(|run| values.get(run).copied().flatten())
            .collect()
    };
    levels.iter().map(level).collect()
}

fn slices<T>(levels: &[Vec<T>]) -> Vec<&[T]> {
    levels.iter().map(Vec::as_slice).collect()
}

fn predict_level(
    series: &Series,
    levels: &[Level],
    last: usize,
    value: f64,
    settings: &Settings,
) -> Result<Judged, NotEnoughData> {
    let mut levels = before(levels, last, &series.values);
    let mut current = levels.pop().unwrap_or_default();
    let margin = match series.metric.margin(median_of(&current)) {
        Margin::Relative(margin) | Margin::Points(margin) => margin,
    };
    let options = newest::Options {
        alpha: settings.alpha,
        margin,
    };
    let more_is_worse = series.metric.more_is_worse();
    let worse = if more_is_worse {
        Side::Above
    } else {
        Side::Below
    };
    let kept = newest::baseline(&slices(&levels), &current, worse, &options);
    let repeats = current.len() - kept;
    current.truncate(kept);
    levels.push(current);
    let found = newest::predict_from(&slices(&levels), value, &options)?;
    let prediction = Prediction {
        runs: found.runs,
        expected: found.expected,
        lower: found.lower,
        upper: found.upper,
        noise: found.noise,
        minimum_detectable: if more_is_worse {
            found.minimum_detectable
        } else {
            // As much less as it is more, in logs.
            1.0 - 1.0 / (1.0 + found.minimum_detectable)
        },
        p_worse: if more_is_worse {
            found.p_above
        } else {
            1.0 - found.p_above
        },
    };
    Ok(Judged {
        prediction,
        side: found.side,
        matters: found.beyond_margin,
        repeats,
    })
}

fn predict_share(
    series: &Series,
    levels: &[Level],
    last: usize,
    settings: &Settings,
) -> Result<Judged, NotEnoughData> {
    let mut levels = before::<Failures>(levels, last, &series.failures);
    let mut current = levels.pop().unwrap_or_default();
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
    let kept = failures::baseline(&slices(&levels), &current, &options);
    let repeats = current.len() - kept;
    current.truncate(kept);
    levels.push(current);
    let found = failures::predict(&slices(&levels), newest, &options)?;
    let prediction = Prediction {
        runs: found.runs,
        expected: found.expected,
        lower: found.lower,
        upper: found.upper,
        noise: found.dispersion,
        minimum_detectable: found.minimum_detectable,
        p_worse: found.p_above,
    };
    Ok(Judged {
        prediction,
        side: found.side,
        matters: found.beyond_margin,
        repeats,
    })
}

/// What the prediction alone says; whether it is more than chance is settled among all series.
fn describe(series: &Series, value: f64, judged: &Judged) -> (Word, String) {
    let Judged {
        prediction,
        side,
        matters,
        repeats,
    } = *judged;
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
                "{change}, outside what {runs} earlier {earlier} (limit {limit}); {}",
                confirmation(repeats)
            ),
        ),
        _ => (
            Word::Improved,
            format!("{change}, better than what {runs} earlier {earlier} (limit {limit})"),
        ),
    }
}

/// One bad run may be chance; a second one is not likely to be.
fn confirmation(repeats: usize) -> String {
    match repeats {
        0 => "rerun to confirm".to_owned(),
        1 => "so was the run before".to_owned(),
        _ => format!("so were the {repeats} runs before"),
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
