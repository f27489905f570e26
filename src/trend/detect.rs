//! Levels, changes of level and drifts of each series.

use super::changes::Accepted;
use super::series_metric::Margin;
use super::{Algorithm, Drift, Group, Level, Series, Settings, Step};
use crate::history::counts::{self, Failures};
use crate::history::entry::fnv1a;
use crate::history::segment::{self, Direction, Segmentation};
use crate::history::{drift, otava};

/// Fills in levels, steps, spikes and drift of every series.
pub fn detect(group: &mut Group, accepted: &Accepted, settings: &Settings) {
    let family = group
        .series
        .iter()
        .filter(|s| !s.advisory && s.known().0.len() >= segment::MIN_RUNS)
        .count();
    let replicates = replicates(family, settings.family_alpha());
    let terms = Terms {
        settings,
        family: group.series.iter().filter(|s| !s.advisory).count().max(1),
    };
    let begin_of = |series: usize| accepted.begin_of(series).unwrap_or(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let queue = std::sync::Mutex::new(group.series.iter_mut().enumerate());
    // The lock is held only to take the next one; each series has a seed of its own, so that the order does not matter.
    let work = || {
        while let Some((i, series)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
            detect_one(series, begin_of(i), replicates, &terms);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

/// How a series is searched.
struct Terms<'a> {
    settings: &'a Settings,
    /// Series among which a finding must count.
    family: usize,
}

/// Fills in one series, whose level was last acknowledged from the run `begin` on.
fn detect_one(series: &mut Series, begin: usize, replicates: usize, terms: &Terms) {
    let (runs, values) = series.known();
    let begin = runs.iter().position(|run| *run >= begin).unwrap_or(0);
    let mut found = match terms.settings.algorithm {
        Algorithm::Otava(parameters) => by_otava(&values, &parameters),
        Algorithm::Segmentation if series.metric.is_share() => shares(series, replicates),
        Algorithm::Segmentation => levels(series, &values, begin, replicates, terms),
    };
    found.cut_at(begin);
    found.fill(series, &runs, &values);
}

/// Series without change to calibrate by: so many that the smallest p there can be is small enough to survive among
/// `family` series, but no more than 99,999.
fn replicates(family: usize, false_discovery: f64) -> usize {
    let smallest = |replicates: usize| 1.0 / (replicates as f64 + 1.0);
    let enough = |replicates: &usize| smallest(*replicates) * family as f64 <= false_discovery;
    [999, 9_999, 99_999]
        .into_iter()
        .find(enough)
        .unwrap_or(99_999)
}

/// What was found, in places among the runs that have a value.
#[derive(Default)]
struct Found {
    steps: Vec<Step>,
    spikes: Vec<usize>,
    drift: Option<Drift>,
    autocorrelation: f64,
    /// Place from which on the level was acknowledged; it begins a level without being a step.
    accepted: Option<usize>,
}

fn seed(series: &Series, values: &[f64]) -> u64 {
    let mut bytes = series.name().into_bytes();
    bytes.extend(series.metric.name().into_bytes());
    bytes.extend(
        values
            .iter()
            .flat_map(|value| value.to_bits().to_le_bytes()),
    );
    fnv1a(&bytes)
}

fn levels(
    series: &Series,
    values: &[f64],
    begin: usize,
    replicates: usize,
    terms: &Terms,
) -> Found {
    let typical = typical(values);
    let Margin::Relative(margin) = terms.settings.margin_of(series.metric, typical) else {
        return Found::default();
    };
    let options = segment::Options {
        margin,
        replicates,
        seed: seed(series, values),
        ..segment::Options::default()
    };
    // A value of zero has no logarithm: nothing is found, and the newest run is judged by name.
    let Ok(segmentation) = segment::segment(values, &options) else {
        return Found::default();
    };
    let drift = drift_of(values, &segmentation, begin, &options, terms);
    let replaced_from = drift.as_ref().map_or(usize::MAX, |drift| drift.first);
    Found {
        steps: segmentation
            .change_points
            .iter()
            .filter(|change| change.index <= replaced_from)
            .map(|change| Step {
                run: change.index,
                before: change.before,
                after: change.after,
                p: change.p,
                superiority: Some(change.superiority),
                direction: change.direction,
            })
            .collect(),
        spikes: segmentation.spikes.iter().map(|s| s.index).collect(),
        drift,
        autocorrelation: segmentation.autocorrelation,
        accepted: None,
    }
}

/// The drift at the end, of the runs from `begin` on.
fn drift_of(
    values: &[f64],
    whole: &Segmentation,
    begin: usize,
    options: &segment::Options,
    terms: &Terms,
) -> Option<Drift> {
    let part = &values[begin..];
    let anew = (begin > 0).then(|| segment::segment(part, options));
    let segmentation = match &anew {
        Some(anew) => anew.as_ref().ok()?,
        None => whole,
    };
    let drift_options = drift::Options {
        margin: options.margin,
        // Two-sided, of which the side for the worse is half.
        alpha: 2.0 * terms.settings.family_alpha() / terms.family as f64,
    };
    let found = drift::detect(part, segmentation, &drift_options).ok()??;
    let drifting = &part[found.start..];
    // The line goes through the median of the runs at their middle.
    let middle = typical(drifting);
    let half = (1.0 + found.change).sqrt();
    Some(Drift {
        first: begin + found.start,
        before: middle / half,
        after: middle * half,
        runs: found.runs,
        p: found.p,
        direction: if found.change > 0.0 {
            Direction::Up
        } else {
            Direction::Down
        },
    })
}

fn shares(series: &Series, replicates: usize) -> Found {
    let runs: Vec<Failures> = series.failures.iter().flatten().copied().collect();
    let Margin::Points(margin) = series.metric.margin(0.0) else {
        return Found::default();
    };
    let ratios: Vec<f64> = runs.iter().map(|run| run.ratio()).collect();
    let options = counts::Options {
        margin,
        replicates,
        seed: seed(series, &ratios),
        ..counts::Options::default()
    };
    let found = counts::segment(&runs, &options);
    let step = |change: &counts::RatioChange| Step {
        run: change.index,
        before: change.before,
        after: change.after,
        p: change.p,
        superiority: Some(change.superiority),
        direction: change.direction,
    };
    Found {
        steps: found.change_points.iter().map(step).collect(),
        spikes: found.spikes,
        ..Found::default()
    }
}

fn by_otava(values: &[f64], parameters: &otava::Parameters) -> Found {
    let step = |change: &otava::OtavaChange| Step {
        run: change.index,
        before: change.mean_before,
        after: change.mean_after,
        p: change.pvalue,
        superiority: None,
        direction: if change.mean_after > change.mean_before {
            Direction::Up
        } else {
            Direction::Down
        },
    };
    let found = otava::detect(values, parameters);
    Found {
        steps: found.iter().map(step).collect(),
        ..Found::default()
    }
}

impl Found {
    /// An acknowledged level begins at this place.
    fn cut_at(&mut self, begin: usize) {
        self.accepted = (begin > 0).then_some(begin);
    }

    /// Writes it into the series, places turned into runs.
    fn fill(self, series: &mut Series, runs: &[usize], values: &[f64]) {
        let begins = self.steps.iter().map(|step| step.run);
        let mut begins: Vec<usize> = std::iter::once(0)
            .chain(begins)
            .chain(self.accepted)
            .chain(self.drift.as_ref().map(|drift| drift.first))
            .collect();
        begins.sort_unstable();
        begins.dedup();
        let ends = begins[1..].iter().copied().chain([values.len()]);
        let known: Vec<Failures> = series.failures.iter().flatten().copied().collect();
        series.levels = begins
            .iter()
            .zip(ends)
            .filter(|(begin, end)| *begin < end)
            .map(|(&begin, end)| Level {
                first: runs[begin],
                last: runs[end - 1],
                runs: end - begin,
                value: if known.len() == values.len() {
                    pooled(&known[begin..end])
                } else {
                    typical(&values[begin..end])
                },
            })
            .collect();
        let step = |step: Step| Step {
            run: runs[step.run],
            ..step
        };
        series.steps = self.steps.into_iter().map(step).collect();
        series.spikes = self.spikes.into_iter().map(|place| runs[place]).collect();
        series.drift = self.drift.map(|drift| Drift {
            first: runs[drift.first],
            ..drift
        });
        series.autocorrelation = self.autocorrelation;
    }
}

fn pooled(runs: &[Failures]) -> f64 {
    let failures: u64 = runs.iter().map(|run| run.failures).sum();
    let requests: u64 = runs.iter().map(|run| run.requests).sum();
    failures as f64 / requests.max(1) as f64
}

/// The median.
fn typical(values: &[f64]) -> f64 {
    crate::history::segment::median_of(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicates_grow_with_the_family() {
        assert_eq!(replicates(1, 0.05), 999);
        assert_eq!(replicates(50, 0.05), 999);
        assert_eq!(replicates(51, 0.05), 9_999);
        assert_eq!(replicates(100_000, 0.05), 99_999);
    }
}
