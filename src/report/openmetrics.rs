//! `metrics.txt`: the figures as `OpenMetrics` text, for GitLab's metrics report and Prometheus' textfile collector.
//!
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Everything is a gauge: a run is over, its counts do not grow,
//! and the textfile collector knows no state sets. Units are the base units of Prometheus: seconds, ratios.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::analysis::Analysis;
use crate::gate::{self, QuotaReport};
use crate::summary::{EndpointSummary, ResponseTimeSummary};
use crate::units::{Unit, quantile_name, seconds};
use crate::visible;

/// One metric: what it is, and its samples.
struct Family {
    name: &'static str,
    unit: &'static str,
    help: &'static str,
    samples: Vec<(String, f64)>,
}

/// Whether a file begins as one of ours.
pub fn is_report(head: &str) -> bool {
    head.starts_with("# TYPE loadgate_")
}

/// Renders the whole file.
pub fn render(analysis: &Analysis) -> anyhow::Result<String> {
    let mut text = String::new();
    for family in run(analysis)
        .into_iter()
        .chain(endpoints(analysis))
        .chain(gates(analysis))
        .chain(quotas(analysis))
    {
        if family.samples.is_empty() {
            continue;
        }
        writeln!(text, "# TYPE {} gauge", family.name)?;
        if !family.unit.is_empty() {
            writeln!(text, "# UNIT {} {}", family.name, family.unit)?;
        }
        writeln!(text, "# HELP {} {}", family.name, family.help)?;
        // The same labels twice are no valid file: two names may differ only in what is no text.
        let mut seen = BTreeSet::new();
        for (labels, value) in family.samples {
            if seen.insert(labels.clone()) {
                writeln!(text, "{}{labels} {value}", family.name)?;
            }
        }
    }
    text.push_str("# EOF\n");
    Ok(text)
}

fn run(analysis: &Analysis) -> Vec<Family> {
    let summary = &analysis.summary;
    let one = |name, unit, help, value: Option<f64>| Family {
        name,
        unit,
        help,
        samples: value.map(|v| (String::new(), v)).into_iter().collect(),
    };
    let mut families = vec![
        Family {
            samples: vec![(labels(&[("run", &summary.label)]), 1.0)],
            ..one("loadgate_run", "", "The run these figures are of.", None)
        },
        one(
            "loadgate_run_start_timestamp_seconds",
            "seconds",
            "First start of the run.",
            summary.started_ms.map(|ms| seconds(ms as f64)),
        ),
        one(
            "loadgate_run_duration_seconds",
            "seconds",
            "First start to last end.",
            summary.duration_s,
        ),
        one(
            "loadgate_users",
            "",
            "Most concurrent users.",
            summary.users_max.map(|users| users as f64),
        ),
    ];
    let exact = summary.peaks.iter().filter(|peak| peak.is_exact());
    let peaks = exact.map(|peak| {
        let window = Unit::Time
            .human(peak.peak.window_ms as f64)
            .replace(' ', "");
        (labels(&[("window", &window)]), peak.peak.count as f64)
    });
    families.push(Family {
        samples: peaks.collect(),
        ..one(
            "loadgate_peak_requests",
            "",
            "Most requests in any window of that length, where it is known exactly.",
            None,
        )
    });
    families
}

fn endpoints(analysis: &Analysis) -> Vec<Family> {
    let summary = &analysis.summary;
    let all = || std::iter::once(&summary.total).chain(&summary.endpoints);
    let each = |name, unit, help, value: &dyn Fn(&EndpointSummary) -> Option<f64>| Family {
        name,
        unit,
        help,
        samples: all()
            .filter_map(|e| Some((labels(&of(e, &[])), value(e)?)))
            .collect(),
    };
    let mut families = vec![
        each(
            "loadgate_requests",
            "",
            "Requests, failures included.",
            &|e| Some(e.requests as f64),
        ),
        each("loadgate_failures", "", "Failed requests.", &|e| {
            Some(e.failures as f64)
        }),
        each(
            "loadgate_failure_ratio",
            "ratio",
            "Failures by requests.",
            &|e| e.failure_ratio,
        ),
        each(
            "loadgate_requests_per_second",
            "",
            "Requests by the run's duration.",
            &|e| e.rps,
        ),
    ];
    let times = all().flat_map(|e| {
        statistics(&e.response_time)
            .into_iter()
            .map(|(statistic, ms)| (labels(&of(e, &[("statistic", &statistic)])), seconds(ms)))
    });
    families.push(Family {
        name: "loadgate_response_time_seconds",
        unit: "seconds",
        help: "Response times, failures included.",
        samples: times.collect(),
    });
    let fields = all().flat_map(|e| {
        e.fields.iter().flat_map(move |(field, value)| {
            [
                ("mean", value.mean),
                ("p95", value.p95),
                ("max", value.max),
                ("sum", value.sum),
            ]
            .map(|(s, v)| (labels(&of(e, &[("field", field), ("statistic", s)])), v))
        })
    });
    families.push(Family {
        name: "loadgate_field",
        unit: "",
        help: "Measured fields of a request log, in the log's unit.",
        samples: fields.collect(),
    });
    families
}

fn statistics(times: &ResponseTimeSummary) -> Vec<(String, f64)> {
    let named = [("min", times.min), ("mean", times.mean), ("max", times.max)];
    let mut all: Vec<(String, f64)> = named
        .into_iter()
        .filter_map(|(name, ms)| Some((name.to_owned(), ms?)))
        .collect();
    all.extend(
        times
            .quantiles
            .iter()
            .map(|(q, ms)| (quantile_name(*q), *ms)),
    );
    all
}

fn gates(analysis: &Analysis) -> Vec<Family> {
    let verdicts = &analysis.verdicts;
    let alike = gate::alike(verdicts);
    let named = |extra: &[(&str, &str)], i: usize| {
        let verdict = &verdicts[i];
        let endpoint = verdict.endpoint_name();
        let mut pairs = vec![("gate", verdict.id.as_str()), ("endpoint", &endpoint)];
        if alike[i] {
            pairs.push(("rule", &verdict.require));
        }
        pairs.extend(extra);
        labels(&pairs)
    };
    let family = |name, help, samples| Family {
        name,
        unit: "",
        help,
        samples,
    };
    let states =
        |word: &str| ["pass", "fail", "undecided"].map(|s| (s, f64::from(u8::from(s == word))));
    let decided = (0..verdicts.len()).flat_map(|i| {
        states(verdicts[i].decision.name()).map(|(state, is)| (named(&[("verdict", state)], i), is))
    });
    let figure = |value: fn(&crate::gate::Verdict) -> Option<f64>| {
        let known = |i: usize| {
            let unit = verdicts[i].unit;
            let labels = named(&[("unit", unit.prometheus())], i);
            Some((labels, unit.to_prometheus(value(&verdicts[i])?)))
        };
        (0..verdicts.len()).filter_map(known).collect()
    };
    let outcome = &analysis.outcome;
    vec![
        family(
            "loadgate_gate_verdict",
            "1 for the verdict on the gate at the endpoint, 0 for the others.",
            decided.collect(),
        ),
        family(
            "loadgate_gate_observed",
            "What was measured.",
            figure(|v| v.observed),
        ),
        family(
            "loadgate_gate_limit",
            "What it was compared with.",
            figure(|v| v.limit),
        ),
        family(
            "loadgate_outcome",
            "1 for the outcome of the run, 0 for the others.",
            states(outcome.verdict)
                .map(|(state, is)| (labels(&[("verdict", state)]), is))
                .to_vec(),
        ),
    ]
}

fn quotas(analysis: &Analysis) -> Vec<Family> {
    let family = |name, unit, help, value: fn(&QuotaReport) -> Option<f64>| Family {
        name,
        unit,
        help,
        samples: analysis
            .quotas
            .iter()
            .filter_map(|q| {
                let pairs = [("quota", q.id.as_str()), ("cost", q.cost.as_str())];
                Some((labels(&pairs), value(q)?))
            })
            .collect(),
    };
    vec![
        family(
            "loadgate_quota_limit",
            "",
            "What the provider allows in one window.",
            |q| Some(q.limit as f64),
        ),
        family(
            "loadgate_quota_peak",
            "",
            "Cost in the busiest window.",
            |q| q.usage.as_ref().map(|usage| usage.peak as f64),
        ),
        family(
            "loadgate_quota_utilization_ratio",
            "ratio",
            "The busiest window by the limit.",
            |q| q.usage.as_ref().map(|usage| usage.utilization),
        ),
    ]
}

/// The labels of an endpoint; the run's total has both empty, so that a sum over endpoints can leave it out.
fn of<'a>(endpoint: &'a EndpointSummary, extra: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let (method, name) = endpoint
        .endpoint
        .as_ref()
        .map_or(("", ""), |e| (e.method.as_str(), e.name.as_str()));
    let mut all = vec![("method", method), ("name", name)];
    all.extend(extra);
    all
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let mut text = String::from("{");
    for (i, (name, value)) in pairs.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        let _ = write!(text, "{name}=\"");
        for c in visible::text(value).chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                c => text.push(c),
            }
        }
        text.push('"');
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn one_family_after_the_other_to_the_end() {
        let text = render(&fixture::analysis(50)).expect("renders");
        assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
        let sample =
            regex::Regex::new(r#"^([a-z_]+)(\{([a-z]+="([^"\\]|\\.)*",?)*\})? -?[0-9.]+$"#)
                .expect("constant");
        let mut family = String::new();
        for line in text.lines().filter(|l| *l != "# EOF") {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                rest.split(' ')
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut family);
            } else if !line.starts_with('#') {
                let found = sample.captures(line).unwrap_or_else(|| panic!("{line}"));
                assert_eq!(&found[1], family, "{line}");
            }
        }
        // 50 requests of 1.5 to 75 ms.
        assert!(text.contains("\nloadgate_requests{method=\"\",name=\"\"} 50\n"));
        assert!(text.contains(
            "\nloadgate_response_time_seconds{method=\"\",name=\"\",statistic=\"max\"} 0.075\n"
        ));
    }

    #[test]
    fn a_run_without_requests_still_has_verdicts() {
        let text = render(&fixture::analysis(0)).expect("renders");
        assert!(text.contains("verdict=\"undecided\"} 1\n") && !text.contains("NaN"));
    }
}
