//! What is followed from run to run, and how much change of it matters.

use crate::comparison::terms::{default_floor, default_margin};
use crate::history::entry::{EndpointEntry, Entry};
use crate::metric::Metric;
use crate::metric::measure::minimum_samples;
use crate::tally::Endpoint;
use crate::units::{Unit, quantile_name};

/// A metric of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeriesMetric {
    /// Mean response time.
    Mean,
    /// Quantile of the response times, in millionths.
    Quantile(u32),
    /// Failures ÷ requests.
    FailureRatio,
    /// Failures whose status is not expected ÷ requests.
    UnexpectedFailureRatio,
    /// Requests per second.
    Rps,
}

/// How much change matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Margin {
    /// A ratio: 0.05 for 5 %.
    Relative(f64),
    /// A difference of ratios: 0.001 for 0.1 percentage points.
    Points(f64),
}

impl SeriesMetric {
    /// What is followed unless told otherwise.
    pub const DEFAULT: [Self; 4] = [
        Self::Mean,
        Self::Quantile(500_000),
        Self::Quantile(950_000),
        Self::FailureRatio,
    ];

    /// Reads a name: `mean`, `p95`, `failure_ratio`, `unexpected_failure_ratio` or `rps`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "mean" => Some(Self::Mean),
            "median" => Some(Self::Quantile(500_000)),
            "failure_ratio" => Some(Self::FailureRatio),
            "unexpected_failure_ratio" => Some(Self::UnexpectedFailureRatio),
            "rps" => Some(Self::Rps),
            _ => {
                let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
                let inside = (0.0..=100.0).contains(&percent) && text.as_bytes()[1] != b'+';
                // Held to a millionth: p99.99999 would become p100.
                let millionths = percent * 1e4;
                let is_whole = (millionths - millionths.round()).abs() < 1e-6;
                (inside && is_whole).then(|| Self::Quantile(millionths.round() as u32))
            }
        }
    }

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Self::Mean => "mean".to_owned(),
            Self::Quantile(q) => quantile_name(q),
            Self::FailureRatio => "failure_ratio".to_owned(),
            Self::UnexpectedFailureRatio => "unexpected_failure_ratio".to_owned(),
            Self::Rps => "rps".to_owned(),
        }
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        match self {
            Self::Mean | Self::Quantile(_) => Unit::Time,
            Self::FailureRatio | Self::UnexpectedFailureRatio => Unit::Ratio,
            Self::Rps => Unit::PerSecond,
        }
    }

    /// Whether more is worse.
    pub fn more_is_worse(self) -> bool {
        self != Self::Rps
    }

    /// Whether it is a share of requests, which may be zero and is judged by counts.
    pub fn is_share(self) -> bool {
        matches!(self, Self::FailureRatio | Self::UnexpectedFailureRatio)
    }

    /// The least change that matters about a level in its base unit: the margins and floors of comparisons, though a floor
    /// is never more than a quarter of the level; of failures 0.1 percentage points.
    pub fn margin(self, level: f64) -> Margin {
        let metric = self.metric();
        let (relative, floor) = (default_margin(&metric), default_floor(&metric));
        if self.is_share() {
            return Margin::Points(floor);
        }
        if self.unit() == Unit::Time && level > 0.0 {
            Margin::Relative((floor / level).min(0.25).max(relative))
        } else {
            Margin::Relative(relative)
        }
    }

    /// The metric that gates and comparisons know it as.
    fn metric(self) -> Metric {
        match self {
            Self::Mean => Metric::Mean,
            Self::Quantile(q) => Metric::Quantile(f64::from(q) / 1e6),
            Self::FailureRatio => Metric::FailureRatio,
            Self::UnexpectedFailureRatio => Metric::UnexpectedFailureRatio,
            Self::Rps => Metric::Rps,
        }
    }

    /// Its value in a run; a quantile of fewer requests than 1 ÷ (1 − q) is none.
    pub fn of(self, run: &Entry, endpoint: Option<&Endpoint>) -> Option<f64> {
        let entry = run.of(endpoint)?;
        let requests = entry.requests as f64;
        match self {
            _ if entry.requests == 0 => None,
            Self::Mean => entry.response_time_ms.mean,
            Self::Rps => entry.rps,
            Self::FailureRatio | Self::UnexpectedFailureRatio => {
                Some(self.failures(entry)? as f64 / requests)
            }
            Self::Quantile(q) => {
                let fraction = f64::from(q) / 1e6;
                if entry.requests - entry.ends.untimed.min(entry.requests)
                    < minimum_samples(&Metric::Quantile(fraction))
                {
                    return None;
                }
                let exact = entry.response_time_ms.quantiles.get(&q).copied();
                exact.or_else(|| run.times_of(endpoint)?.quantile(fraction))
            }
        }
    }

    /// The failures it counts.
    pub fn failures(self, entry: &EndpointEntry) -> Option<u64> {
        match self {
            Self::FailureRatio => entry.known_failures(),
            Self::UnexpectedFailureRatio => entry.unexpected_failures,
            Self::Mean | Self::Quantile(_) | Self::Rps => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in [
            "mean",
            "p50",
            "p99.9",
            "failure_ratio",
            "unexpected_failure_ratio",
            "rps",
        ] {
            assert_eq!(SeriesMetric::parse(name).unwrap().name(), name);
        }
        for name in ["p101", "p", "p+5", "p99.99999", "max", ""] {
            assert_eq!(SeriesMetric::parse(name), None, "{name}");
        }
    }

    #[test]
    fn margins_have_a_floor_and_the_floor_a_limit() {
        let p50 = SeriesMetric::Quantile(500_000);
        assert_eq!(p50.margin(1000.0), Margin::Relative(0.05));
        assert_eq!(p50.margin(1.0), Margin::Relative(0.1));
        assert_eq!(p50.margin(0.1), Margin::Relative(0.25));
        let p90 = SeriesMetric::Quantile(900_000);
        assert_eq!(p90.margin(1000.0), Margin::Relative(0.1));
        assert_eq!(
            SeriesMetric::FailureRatio.margin(0.0),
            Margin::Points(0.001)
        );
    }
}
