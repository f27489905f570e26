//! The figures of a group as the tests need them: logarithms, turned so that more is worse.

use crate::tally::Endpoint;
use crate::trend::series_metric::Margin;
use crate::trend::{Group, Series, Settings};

/// The figures of a group.
pub struct Figures<'a> {
    /// The series.
    pub series: &'a [Series],
    /// Logarithm of each series in each run, larger is worse; none of shares and of what has no logarithm.
    logs: Vec<Vec<Option<f64>>>,
    /// For each series the place of its endpoint among `medians`; none of the total.
    place: Vec<Option<usize>>,
    /// Logarithm of each endpoint's p50 in each run.
    medians: Vec<Vec<Option<f64>>>,
    settings: &'a Settings,
}

impl<'a> Figures<'a> {
    /// Takes them from the group.
    pub fn of(group: &'a Group, settings: &'a Settings) -> Self {
        let log =
            |value: f64, sign: f64| (value > 0.0 && value.is_finite()).then(|| sign * value.ln());
        let logs = |series: &Series| -> Vec<Option<f64>> {
            if series.metric.is_share() {
                return Vec::new();
            }
            let sign = sign(series);
            let of = |value: &Option<f64>| value.and_then(|value| log(value, sign));
            series.values.iter().map(of).collect()
        };
        let place = |endpoint: &Endpoint| group.medians.iter().position(|(e, _)| e == endpoint);
        let medians = |(_, column): &(Endpoint, Vec<Option<f64>>)| -> Vec<Option<f64>> {
            column
                .iter()
                .map(|p50| p50.and_then(|p50| log(p50, 1.0)))
                .collect()
        };
        Self {
            series: &group.series,
            logs: group.series.iter().map(logs).collect(),
            place: group
                .series
                .iter()
                .map(|series| series.endpoint.as_ref().and_then(place))
                .collect(),
            medians: group.medians.iter().map(medians).collect(),
            settings,
        }
    }

    /// Logarithm of a series in a run, larger is worse.
    pub fn log(&self, series: usize, run: usize) -> Option<f64> {
        self.logs[series].get(run).copied().flatten()
    }

    /// Whether the series has a figure in the run.
    pub fn is_known(&self, series: usize, run: usize) -> bool {
        if self.series[series].metric.is_share() {
            self.series[series]
                .failures
                .get(run)
                .is_some_and(Option::is_some)
        } else {
            self.log(series, run).is_some()
        }
    }

    /// The place of the series' endpoint among those that may be covariates.
    pub fn place(&self, series: usize) -> Option<usize> {
        self.place[series]
    }

    /// Endpoints whose p50 is known.
    pub fn places(&self) -> usize {
        self.medians.len()
    }

    /// Mean of the logarithms of the p50 of the other endpoints in each of `runs`: of those that have one in every one of
    /// them and are not `left_out`. None where no endpoint is left.
    pub fn others(&self, series: usize, runs: &[usize], left_out: &[bool]) -> Option<Others> {
        let own = self.place[series]?;
        let mut sums = vec![0.0; runs.len()];
        let mut endpoints = 0;
        for (place, column) in self.medians.iter().enumerate() {
            if place == own || left_out[place] || runs.iter().any(|run| column[*run].is_none()) {
                continue;
            }
            endpoints += 1;
            for (sum, run) in sums.iter_mut().zip(runs) {
                *sum += column[*run].unwrap_or_default();
            }
        }
        if endpoints == 0 {
            return None;
        }
        for sum in &mut sums {
            *sum /= f64::from(endpoints);
        }
        Some(Others {
            means: sums,
            endpoints,
        })
    }

    /// Logarithm of the least change that matters of a series about a level, which is a logarithm turned to worse.
    pub fn margin(&self, series: usize, level: f64) -> f64 {
        let series = &self.series[series];
        let value = (sign(series) * level).exp();
        match self.settings.margin_of(series.metric, value) {
            Margin::Relative(margin) | Margin::Points(margin) => margin.ln_1p(),
        }
    }
}

/// 1 where more is worse, −1 where less is.
pub fn sign(series: &Series) -> f64 {
    if series.metric.more_is_worse() {
        1.0
    } else {
        -1.0
    }
}

/// What the run's other endpoints were like.
pub struct Others {
    /// Mean of their log p50, for each run asked for.
    pub means: Vec<f64>,
    /// How many endpoints.
    pub endpoints: u32,
}
