//! What a comparison is asked: which metrics, and how small a change matters.

use crate::metric::Metric;
use crate::units::Unit;

/// The terms of a comparison.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What is compared, at every endpoint and in total. Everything compared is judged: it is one family of hypotheses.
    pub metrics: Vec<Metric>,
    /// What is compared in total besides: requests per second of the endpoints of one run all say the same.
    pub of_total: Vec<Metric>,
    /// Error allowed on each side of an interval, and the chance that any figure of the whole comparison is called worse (or
    /// better) although nothing changed.
    pub alpha: f64,
    /// Least relative change that matters, for every metric; `None` for [`default_margin`].
    pub margin: Option<f64>,
    /// Least absolute change of a time that matters, in ms; `None` for [`default_floor`].
    pub floor_ms: Option<f64>,
    /// HTTP statuses that are expected failures.
    pub expected: Vec<u16>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            metrics: vec![
                Metric::Mean,
                Metric::Quantile(0.5),
                Metric::Quantile(0.95),
                Metric::FailureRatio,
            ],
            of_total: vec![Metric::Rps],
            alpha: 0.01,
            margin: None,
            floor_ms: None,
            expected: Vec::new(),
        }
    }
}

impl Terms {
    /// Least relative change of a metric that matters.
    pub fn margin(&self, metric: &Metric) -> f64 {
        self.margin.unwrap_or_else(|| default_margin(metric))
    }

    /// Least absolute change of a metric that matters, in its base unit.
    pub fn floor(&self, metric: &Metric) -> f64 {
        match (metric.unit(), self.floor_ms) {
            (Unit::Time, Some(floor)) => floor,
            _ => default_floor(metric),
        }
    }

    /// Adds a metric unless it is there; `everywhere`, or of the total only.
    pub fn add(&mut self, metric: &Metric, everywhere: bool) {
        if self.metrics.contains(metric) {
            return;
        }
        let known = self.of_total.iter().position(|m| m == metric);
        match (known, everywhere) {
            (Some(at), true) => self.metrics.push(self.of_total.remove(at)),
            (None, true) => self.metrics.push(metric.clone()),
            (None, false) => self.of_total.push(metric.clone()),
            (Some(_), false) => {}
        }
    }

    /// The metrics compared at an endpoint, or in total.
    pub fn metrics_of(&self, total: bool) -> impl Iterator<Item = &Metric> {
        let besides = if total { self.of_total.as_slice() } else { &[] };
        self.metrics.iter().chain(besides)
    }
}

/// 5 %; of tails, which wander more from run to run, 10 % up to p95 and 20 % beyond.
pub fn default_margin(metric: &Metric) -> f64 {
    match metric {
        Metric::Quantile(q) if *q > 0.95 => 0.20,
        Metric::Quantile(q) if *q > 0.5 => 0.10,
        Metric::Max => 0.20,
        _ => 0.05,
    }
}

/// 0.1 ms of a time, which is what a load generator's own clock wanders; 0.1 percentage points of a ratio; nothing of
/// anything else.
pub fn default_floor(metric: &Metric) -> f64 {
    match metric.unit() {
        Unit::Time => 0.1,
        Unit::Ratio => 0.001,
        _ => 0.0,
    }
}

/// Whether a metric is a share of requests, compared by its difference: a ratio from zero says nothing.
pub fn is_share(metric: &Metric) -> bool {
    metric.unit() == Unit::Ratio
}
