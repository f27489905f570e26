//! A metric's name, as it is written in a requirement.

use std::fmt;

use super::{Aggregate, Filter, Metric};
use crate::units::percentile_name;

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Requests => "requests",
            Self::Failures => "failures",
            Self::FailureRatio => "failure_ratio",
            Self::SuccessRatio => "success_ratio",
            Self::UnexpectedFailures => "unexpected_failures",
            Self::UnexpectedFailureRatio => "unexpected_failure_ratio",
            Self::Ratio(filter) => return write!(f, "ratio({filter})"),
            Self::Count(filter) => return write!(f, "count({filter})"),
            Self::Min => "min",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Stddev => "stddev",
            Self::Quantile(q) => return f.write_str(&percentile_name(*q)),
            Self::Field(aggregate, field) => return write!(f, "{aggregate}({field})"),
            Self::Apdex(satisfied_ms) => return write!(f, "apdex({satisfied_ms}ms)"),
            Self::Rps => "rps",
            Self::Rpm => "rpm",
            Self::Peak(window_s) => return write!(f, "peak({window_s}s)"),
            Self::Users => "users",
            Self::Duration => "duration",
        };
        f.write_str(name)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status={status}"),
            Self::StatusClass(class) => write!(f, "status={class}xx"),
            Self::Error(regex) => write!(f, "error~\"{regex}\""),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Min => "min",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Stddev => "stddev",
            Self::Quantile(q) => return f.write_str(&percentile_name(*q)),
            Self::First => "first",
            Self::Last => "last",
            Self::Increase => "increase",
            Self::Slope => "slope",
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::expression;

    #[test]
    fn every_name_is_understood_as_itself() {
        for name in [
            "requests",
            "failures",
            "failure_ratio",
            "success_ratio",
            "unexpected_failures",
            "min",
            "mean",
            "max",
            "stddev",
            "p50",
            "p99.9",
            "p99.99999",
            "p99.9999999999",
            "p100",
            "p0.5",
            "apdex(500ms)",
            "rps",
            "rpm",
            "peak(10s)",
            "users",
            "duration",
            "p95(rows)",
            "max(rows)",
            "slope(memory_mb)",
            "ratio(status=5xx)",
            "count(status=429)",
            "ratio(error~\"time\")",
        ] {
            let metric = expression::metric_named(name).expect(name);
            assert_eq!(metric.to_string(), name);
            assert_eq!(expression::metric_named(&metric.to_string()), Ok(metric));
        }
    }
}
