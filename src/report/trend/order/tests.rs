use super::*;
use crate::trend::{Kind, SeriesMetric};

fn change(id: &str, before: f64, after: f64, run: usize) -> Change {
    Change {
        id: id.to_owned(),
        kind: Kind::Step,
        run,
        endpoint: None,
        worse: after > before,
        parts: vec![Part {
            metric: SeriesMetric::Mean,
            before,
            after,
            p: 0.001,
        }],
        current: true,
        significant: true,
        advisory: false,
        follows: None,
        acknowledged: None,
    }
}

fn large_part() -> Part {
    change("", 10.0, 20.0, 0).parts.remove(0)
}

#[test]
fn the_worst_comes_first_and_what_follows_stands_with_its_cause() {
    let follower = Change {
        follows: Some("small".to_owned()),
        ..change("total", 10.0, 11.0, 8)
    };
    let passed = Change {
        current: false,
        ..change("passed", 10.0, 90.0, 3)
    };
    let newest = Change {
        kind: Kind::NewestRun,
        significant: false,
        parts: [SeriesMetric::Quantile(500_000), SeriesMetric::Mean]
            .map(|metric| Part {
                metric,
                ..large_part()
            })
            .to_vec(),
        ..change("large", 10.0, 20.0, 6)
    };
    let doubtful = Change {
        significant: false,
        ..change("doubtful", 10.0, 50.0, 8)
    };
    let changes = vec![
        follower,
        doubtful,
        change("better", 10.0, 5.0, 8),
        change("small", 10.0, 12.0, 8),
        newest,
        change("large", 10.0, 20.0, 6),
        passed,
    ];
    let group = Group {
        key: crate::trend::Key {
            machine: None,
            scenario: None,
            labels: std::collections::BTreeMap::new(),
            users: None,
        },
        runs: Vec::new(),
        series: Vec::new(),
        changes,
        newest: true,
    };
    let causes = causes(&group);
    let ids: Vec<&str> = causes.iter().map(|c| c.change.id.as_str()).collect();
    assert_eq!(ids, ["large", "small", "doubtful", "better", "passed"]);
    let metrics: Vec<SeriesMetric> = causes[0].parts.iter().map(|p| p.metric).collect();
    assert_eq!(
        metrics,
        [SeriesMetric::Mean, SeriesMetric::Quantile(500_000)]
    );
    let followers: Vec<&str> = causes[1].followers.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(followers, ["total"]);
}

#[test]
fn a_share_that_was_zero_has_a_size() {
    let part = |before, after| Part {
        metric: SeriesMetric::FailureRatio,
        before,
        after,
        p: 0.001,
    };
    // ln(0.02 / 0.01) = ln 2.
    assert!((size_of(&part(0.0, 0.01)) - 2.0_f64.ln()).abs() < 1e-12);
    assert!(size_of(&part(0.0, 0.05)) > size_of(&part(0.03, 0.05)));
}
