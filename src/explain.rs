//! What the words of loadgate mean: error codes, metrics, and the user's own gates in sentences.

use std::fmt::Write as _;

use crate::gate::quota::Cost;
use crate::gate::selector::Reading;
use crate::gate::{Combine, Comparator, Gate, Level, Limit, Quota, Requirement, Selector};
use crate::metric::measure::minimum_samples;
use crate::units::Unit;

pub mod codes;
pub mod metrics;

/// A gate in sentences.
pub fn gate(gate: &Gate) -> String {
    let mut text = format!("{}: a gate of {}\n\n", gate.id, gate.origin);
    let joint = match gate.combine {
        Combine::All if gate.requirements.len() > 1 => "All of these must hold:\n",
        Combine::Any if gate.requirements.len() > 1 => "One of these is enough:\n",
        Combine::All | Combine::Any => "",
    };
    text.push_str(joint);
    for requirement in &gate.requirements {
        let _ = writeln!(text, "  {}", requirement.text);
        let _ = writeln!(text, "      {}", sentence(requirement));
    }
    let place = match &gate.on {
        Some(selector) => format!(
            "It is judged at each endpoint that `on` selects, one verdict each; without a match it is undecided.\n{}",
            readings(selector)
        ),
        None => "It is judged on the run's total, all endpoints together.".to_owned(),
    };
    let _ = writeln!(text, "\n{place}\n{}", consequence(gate.level));
    if gate.significant && gate.requirements.iter().any(Requirement::leaves_room) {
        text.push_str(
            "Beyond its limit a figure fails if it is worse than the baseline by more than runs of unchanged code differ;\nelse it is undecided (exit code 3). `significant = false` compares the two numbers alone.\n",
        );
    }
    let most = gate
        .requirements
        .iter()
        .map(|r| minimum_samples(&r.metric))
        .max();
    let samples = gate.min_samples.or(most).unwrap_or(1);
    let _ = writeln!(
        text,
        "With fewer than {samples} value{} it is undecided (exit code 3), which is never a pass.",
        if samples == 1 { "" } else { "s" }
    );
    text
}

/// How each pattern of a selector is read.
fn readings(selector: &Selector) -> String {
    let mut text = String::new();
    for (pattern, readings) in selector.readings() {
        let words = readings.iter().map(|reading| match reading {
            Reading::Name => "the exact name of an endpoint, or its method and name",
            Reading::Glob => "a glob on either",
            Reading::Regex => "a regular expression searched in either",
        });
        let words: Vec<&str> = words.collect();
        let _ = writeln!(text, "  `{pattern}` is {}", words.join("; else "));
    }
    text.truncate(text.trim_end().len());
    text
}

fn consequence(level: Level) -> &'static str {
    match level {
        Level::Fail => "A breach fails the run (exit code 1).",
        Level::Warn => "A breach is shown as a warning; the run passes.",
    }
}

/// A quota in sentences.
pub fn quota(quota: &Quota) -> String {
    let window = |ms: i64| Unit::Time.human(ms as f64);
    let counted = match &quota.cost {
        Cost::Fixed(1) => "requests".to_owned(),
        Cost::Fixed(n) => format!("{n} for each request"),
        Cost::Field(name) => format!("what the field `{name}` of each request says"),
    };
    let mut text = format!(
        "{}: a quota of {}\n\n  {}\n",
        quota.id,
        quota.origin,
        quota.rule()
    );
    let _ = writeln!(
        text,
        "\nThe provider allows {} in any window of {}, wherever it begins; counted is {counted}.",
        quota.limit.count,
        window(quota.limit.window_ms)
    );
    if let Some(target) = &quota.target {
        let _ = writeln!(
            text,
            "This system is to stay under {} of them.",
            Unit::Count.human(target.value.to_f64())
        );
    }
    if let Some(burst) = &quota.burst {
        let _ = writeln!(
            text,
            "More than {} in any {} is a burst.",
            burst.count,
            window(burst.window_ms)
        );
    }
    if let Some(bucket) = &quota.bucket {
        let _ = writeln!(
            text,
            "A token bucket ({}) is replayed: it must let every request pass.",
            bucket.text
        );
    }
    let whose = quota
        .on
        .as_ref()
        .map(|s| format!("Only requests to what `on` selects count.\n{}", readings(s)));
    let whose = whose.unwrap_or_else(|| "The requests to all endpoints count together.".to_owned());
    let _ = writeln!(text, "{whose}\n{}", consequence(quota.level));
    text
}

fn sentence(requirement: &Requirement) -> String {
    let unit = requirement.metric.unit();
    let must = match requirement.comparator {
        Comparator::Less => "be below",
        Comparator::LessOrEqual => "be at most",
        Comparator::Greater => "be above",
        Comparator::GreaterOrEqual => "be at least",
        Comparator::Equal => "be exactly",
    };
    let limit = match requirement.limit {
        Limit::Absolute(value) => unit.human_exactly(value.to_f64()),
        Limit::Baseline { factor, offset } => baseline(factor.to_f64(), offset.to_f64(), unit),
    };
    let within = requirement.within_s.map_or_else(String::new, |s| {
        format!(", in every window of {}", Unit::Time.human(s * 1e3))
    });
    let what = metrics::meaning(&requirement.metric);
    format!("{what} must {must} {limit}{within}")
}

fn baseline(factor: f64, offset: f64, unit: Unit) -> String {
    let mut text = "the baseline's value".to_owned();
    if factor > 1.0 {
        let _ = write!(text, " plus {}", Unit::Ratio.human(factor - 1.0));
    } else if factor < 1.0 {
        let _ = write!(text, " minus {}", Unit::Ratio.human(1.0 - factor));
    }
    if offset > 0.0 {
        let _ = write!(text, " plus {}", unit.human(offset));
    } else if offset < 0.0 {
        let _ = write!(text, " minus {}", unit.human(-offset));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_in_sentences() {
        let text = "[[quota]]\nid = \"q\"\nlimit = \"60 per 60s\"\ntarget = \"50%\"\ncost = \"api_writes\"\non = \"POST *\"\nburst = \"20 per 10s\"\nbucket = \"1/s burst 20\"\n";
        let config = crate::config::parse(text, "loadgate.toml").expect("valid");
        let told = quota(&config.quotas[0]);
        for part in [
            "loadgate.toml:2",
            "allows 60 in any window of 1 min",
            "`api_writes`",
            "under 30 of them",
            "More than 20 in any 10 s",
            "1/s burst 20",
            "Only requests to what `on` selects",
            "`POST *` is the exact name of an endpoint, or its method and name; else a glob on either",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }

    #[test]
    fn a_gate_in_sentences() {
        let text = "[[gate]]\nid = \"a\"\nrequire = [\"p99 < 2s\", \"failure_ratio <= 1% within 60s\"]\non = \"GET *\"\nlevel = \"warn\"\n";
        let config = crate::config::parse(text, "loadgate.toml").expect("valid");
        let told = gate(&config.gates[0]);
        for part in [
            "loadgate.toml:2",
            "All of these",
            "below 2 s",
            "at most 1 %, in every window of 1 min",
            "`GET *` is the exact name",
            "fewer than 100 values",
            "warning",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(
            baseline(1.2, 0.0, Unit::Time),
            "the baseline's value plus 20 %"
        );
        assert_eq!(
            baseline(1.0, -50.0, Unit::Time),
            "the baseline's value minus 50 ms"
        );
    }
}
