//! Measured fields: the aggregates of what requests and samples carry.

use super::{Measured, plain};
use crate::exact::Fraction;
use crate::metric::{Aggregate, Measurement, field};
use crate::summary::quantile::{exact_quantile, quantile};
use crate::summary::slope_interval;
use crate::tally::{EndpointTally, FieldTally};

pub(super) fn measured(aggregate: Aggregate, name: &str, tally: &EndpointTally) -> Measured {
    let field = field(tally, name).ok_or_else(|| {
        let has: Vec<&str> = tally.fields.keys().map(String::as_str).collect();
        let has = if has.is_empty() {
            "there are no measured fields".to_owned()
        } else {
            format!("there are {}", has.join(", "))
        };
        format!("no request has the field `{name}`; {has}")
    })?;
    let samples = field.count();
    let value =
        aggregated(aggregate, field).ok_or_else(|| unknown_course(aggregate, name, field))?;
    let exact = aggregated_exactly(aggregate, field);
    let (missing, expected) = (
        field.missing_of(tally.requests),
        field.expected_of(tally.requests),
    );
    let elsewhere = tally.requests - expected.min(tally.requests);
    let mut remarks = Vec::new();
    if missing > 0 {
        remarks.push(format!("{missing} of {expected} requests lack `{name}`"));
    }
    if expected > 0 && elsewhere > 0 {
        remarks.push(format!(
            "{elsewhere} requests are of endpoints that never have `{name}`"
        ));
    }
    let slope = field.slope().filter(|_| aggregate == Aggregate::Slope);
    Ok(Measurement {
        remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
        interval: slope.and_then(|slope| slope_interval(&slope)),
        missing: (missing > 0).then(|| missing as f64 / expected as f64),
        exact,
        ..plain(value, samples)
    })
}

/// Why a figure that needs the order of the values is not known.
fn unknown_course(aggregate: Aggregate, name: &str, field: &FieldTally) -> String {
    if field.is_mixed() {
        return format!(
            "samples of `{name}` come from several logs at the same time, perhaps of several processes; give each \
             sample a `pid` or `process`"
        );
    }
    match (aggregate, field.sources()) {
        (Aggregate::First | Aggregate::Last, sources) if sources > 1 => format!(
            "`{name}` was sampled of {sources} processes, each with a first and a last value of its own"
        ),
        _ => format!("`{name}` needs timestamps, at two different moments for a slope"),
    }
}

fn aggregated(aggregate: Aggregate, field: &FieldTally) -> Option<f64> {
    let n = field.count();
    match aggregate {
        Aggregate::Min => field.min(),
        Aggregate::Max => field.max(),
        Aggregate::Mean => Some(field.sum() / n as f64),
        Aggregate::Sum => Some(field.sum()),
        Aggregate::Stddev => field.stddev(),
        Aggregate::Quantile(q) => quantile(field.values(), n, q),
        Aggregate::First => field.first(),
        Aggregate::Last => field.last(),
        Aggregate::Increase => field.increase(),
        Aggregate::Slope => field.slope().map(|s| s.per_hour),
    }
}

/// The same without the noise of floats, where it follows from the values as they were written by sums and quotients.
fn aggregated_exactly(aggregate: Aggregate, field: &FieldTally) -> Option<Fraction> {
    let n = field.count();
    match aggregate {
        Aggregate::Mean => field.exact_sum()?.over(Fraction::share(n, 1)?),
        Aggregate::Sum => field.exact_sum(),
        Aggregate::Increase => field.exact_increase(),
        Aggregate::Quantile(q) => exact_quantile(field.values(), n, q),
        Aggregate::Stddev | Aggregate::Slope => aggregated(aggregate, field).map(Fraction::near),
        // As they were written.
        Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last => None,
    }
}
