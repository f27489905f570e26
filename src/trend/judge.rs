//! What is said of the newest run of each series.

use super::course::evidence::{Adjusted, Basis};
use super::course::figures::{Figures, sign};
use super::course::{Course, Event, Standing, Subject};
use super::series_metric::Margin;
use super::{Beside, Group, Newest, Prediction, Series, Settings, Word};
use crate::history::counts::Failures;
use crate::history::newest::{self, MIN_RUNS, NotEnoughData, Side, failures};
use crate::history::segment::{Direction, median_of};
use crate::units::{Unit, signed_percent};

/// A newest run that would not show a doubling cannot be told from one.
const BLIND: f64 = 1.0;

/// Judges the newest run of every series, as the course of its subject has it.
pub fn judge(group: &mut Group, course: &Course, settings: &Settings) {
    let found: Vec<(Newest, Vec<usize>)> = {
        let figures = Figures::of(group, settings);
        let left_out = course.left_out(&figures);
        let one = |i: usize| {
            let Some(subject) = course.subject_of(i) else {
                return (group.series[i].newest.clone(), Vec::new());
            };
            let view = View {
                group,
                figures: &figures,
                subject,
                left_out: &left_out,
                settings,
            };
            let spikes = subject.spikes().filter(|run| figures.is_known(i, *run));
            (view.newest(i), spikes.collect())
        };
        (0..group.series.len()).map(one).collect()
    };
    for (series, (newest, spikes)) in group.series.iter_mut().zip(found) {
        series.newest = newest;
        series.spikes.extend(spikes);
        series.spikes.sort_unstable();
        series.spikes.dedup();
    }
}

/// One subject of a group.
struct View<'a> {
    group: &'a Group,
    figures: &'a Figures<'a>,
    subject: &'a Subject,
    left_out: &'a [bool],
    settings: &'a Settings,
}

impl View<'_> {
    fn newest(&self, i: usize) -> Newest {
        let series = &self.group.series[i];
        let last = self.group.runs.len().saturating_sub(1);
        let value = series.values.get(last).copied().flatten();
        let said = |word: Word, because: String| Newest {
            word,
            because,
            value,
            prediction: None,
            beside: None,
            repeats: 0,
        };
        let Some(value) = value else {
            return said(Word::Undecided, absence(series));
        };
        if self.subject.level == [last] && !self.subject.earlier.is_empty() {
            let because = "its level was acknowledged with this run".to_owned();
            return said(Word::Within, because);
        }
        // The level as it was before this run.
        let basis = self.subject.basis();
        let level: Vec<usize> = basis
            .level
            .iter()
            .copied()
            .filter(|run| *run != last)
            .collect();
        let basis = Basis {
            level: &level,
            ..basis
        };
        let judged = if series.metric.is_share() {
            predict_share(series, basis, last, self.settings)
        } else {
            predict_level(series, basis, value, self.settings)
        };
        let beside = self.beside(i, basis, last);
        let (word, because) = match (&judged, self.of_event(i, last)) {
            (_, Some(said)) => said,
            (Ok(judged), None) => describe(series, value, judged, beside.as_ref()),
            (Err(why), None) => (Word::Undecided, why.to_string()),
        };
        Newest {
            word,
            because,
            value: Some(value),
            prediction: judged.ok().map(|judged| judged.prediction),
            beside,
            repeats: self.repeats(i, last),
        }
    }

    /// Runs before the newest that are away from the level, as this series shows.
    fn repeats(&self, i: usize, last: usize) -> usize {
        let open = self.subject.open();
        let open = open.filter(|event| event.hits.iter().any(|hit| hit.series == i));
        open.map_or(0, |event| last - event.since)
    }

    /// What the run's other endpoints would lead to expect.
    fn beside(&self, i: usize, basis: Basis, last: usize) -> Option<Beside> {
        let fit = Adjusted::fit(self.figures, i, basis, &[last], self.left_out)?;
        let series = &self.group.series[i];
        let sign = sign(series);
        let expected = series.values[last]? * (-sign * fit.effect.effect).exp();
        Some(Beside {
            expected,
            limit: expected * (sign * fit.effect.reach(self.settings.alpha)).exp(),
            endpoints: fit.endpoints,
            p_worse: fit.effect.p_of(fit.effect.effect),
        })
    }

    /// What an event that is open says of one of its series.
    fn of_event(&self, i: usize, last: usize) -> Option<(Word, String)> {
        let event: &Event = self.subject.open()?;
        let hit = event.hits.iter().find(|hit| hit.series == i)?;
        let runs = self.group.runs.len();
        let part = self
            .subject
            .part(self.figures, event, hit, runs, self.left_out);
        let by = difference(part.metric, part.before, part.after);
        let beside = match (hit.adjusted, event.worse) {
            (false, _) => String::new(),
            (true, true) => format!(": {SLOWER}"),
            (true, false) => {
                ": faster than the run's other endpoints would lead to expect".to_owned()
            }
        };
        let since = match last + 1 - event.since {
            0 | 1 => "in this run alone".to_owned(),
            together => format!("since run {}, {together} runs", event.since + 1),
        };
        Some(match (event.standing, event.worse) {
            (Standing::Suspect, true) => (
                Word::Suspect,
                format!("{by} {since}{beside}; rerun to confirm"),
            ),
            (_, true) => (Word::Regressed, format!("{by} {since}{beside}")),
            (_, false) => (Word::Improved, format!("{by} {since}{beside}")),
        })
    }
}

/// The words for a figure that is worse beside the other endpoints.
pub const SLOWER: &str = "slower than the run's other endpoints would lead to expect";

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
}

/// The runs of each level before the newest run, those of the current level last.
fn levels<T: Copy>(basis: Basis, values: &[Option<T>]) -> Vec<Vec<T>> {
    let of = |runs: &[usize]| -> Vec<T> {
        let known = |run: &usize| values.get(*run).copied().flatten();
        runs.iter().filter_map(known).collect()
    };
    let earlier = basis.earlier.iter().map(|runs| of(runs));
    earlier.chain([of(basis.level)]).collect()
}

fn slices<T>(levels: &[Vec<T>]) -> Vec<&[T]> {
    levels.iter().map(Vec::as_slice).collect()
}

fn predict_level(
    series: &Series,
    basis: Basis,
    value: f64,
    settings: &Settings,
) -> Result<Judged, NotEnoughData> {
    let levels = levels(basis, &series.values);
    let current = levels.last().map_or(&[][..], Vec::as_slice);
    let (Margin::Relative(margin) | Margin::Points(margin)) =
        settings.margin_of(series.metric, median_of(current));
    let options = newest::Options {
        alpha: settings.alpha,
        margin,
    };
    let more_is_worse = series.metric.more_is_worse();
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
    })
}

fn predict_share(
    series: &Series,
    basis: Basis,
    last: usize,
    settings: &Settings,
) -> Result<Judged, NotEnoughData> {
    let levels = levels::<Failures>(basis, &series.failures);
    let Some(newest) = series.failures.get(last).copied().flatten() else {
        return Err(NotEnoughData::FewRuns {
            runs: 0,
            required: MIN_RUNS,
        });
    };
    let options = failures::Options {
        alpha: settings.alpha,
        ..failures::Options::default()
    };
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
    })
}

/// What the prediction says of a run that is not outside.
fn describe(
    series: &Series,
    value: f64,
    judged: &Judged,
    beside: Option<&Beside>,
) -> (Word, String) {
    let Judged {
        prediction,
        side,
        matters,
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
    let sees = beside.is_some_and(|b| (b.limit / b.expected).ln().abs() <= BLIND.ln_1p());
    match side {
        Side::Inside
            if !series.metric.is_share() && prediction.minimum_detectable > BLIND && !sees =>
        {
            (
                Word::Undecided,
                format!(
                    "{change}, but with noise of {} between runs only a change of {} would show",
                    Unit::Ratio.human(prediction.noise),
                    signed_percent(prediction.minimum_detectable)
                ),
            )
        }
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
        _ => (
            Word::Within,
            format!(
                "{change}, outside what {runs} earlier {earlier} ({limit}), as one of so many series may be by chance"
            ),
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
