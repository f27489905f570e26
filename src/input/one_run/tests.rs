use super::*;

/// A file of so many seconds.
fn part(name: &str, first_s: i64, last_s: i64) -> Part {
    let mut extent = Extent::default();
    extent.see(first_s * 1000, last_s * 1000);
    Part {
        name: name.to_owned(),
        extent,
        must_overlap: false,
    }
}

#[test]
fn workers_that_overlap_pair_by_pair_are_one_run() {
    let chain = [part("c", 150, 300), part("a", 0, 100), part("b", 90, 160)];
    assert_eq!(by_time(&chain).expect("one run"), None);
    assert_eq!(by_time(&[]).expect("nothing"), None);
    assert_eq!(by_time(&chain[..1]).expect("one file"), None);
}

#[test]
fn a_short_gap_is_none_and_a_longer_one_is_told() {
    assert_eq!(
        by_time(&[part("a", 0, 30), part("b", 39, 60)]).expect("one"),
        None
    );
    let note = by_time(&[part("a", 0, 30), part("b", 90, 120)]).expect("60 s are allowed");
    assert!(note.is_some_and(|n| n.contains("1 min")));
    assert!(by_time(&[part("a", 0, 30), part("b", 91, 120)]).is_err());
    // A tenth of 2000 s is 200 s: of the shorter side, so that a smoke test before a long run is no part of it.
    assert!(by_time(&[part("a", 0, 2000), part("b", 2200, 9000)]).is_ok());
    assert!(by_time(&[part("a", 0, 2000), part("b", 2201, 9000)]).is_err());
    assert!(by_time(&[part("smoke", 0, 20), part("load", 100, 9000)]).is_err());
}

#[test]
fn runs_that_lie_apart_are_listed() {
    let day = 86_400;
    let parts = [
        part("r/a.jsonl", 0, 60),
        part("r/b.jsonl", day, day + 60),
        part("r/c.jsonl", 10, 70),
    ];
    let problem = by_time(&parts).expect_err("two runs").short();
    assert!(problem.contains("several-runs"), "{problem}");
    assert!(problem.contains("2 runs"), "{problem}");
    assert!(
        problem.contains("name `r/a.jsonl` with `r/c.jsonl`, or `r/b.jsonl`"),
        "{problem}"
    );
}

#[test]
fn what_must_overlap_has_no_gap_at_all() {
    let strict = |name, first, last| Part {
        must_overlap: true,
        ..part(name, first, last)
    };
    assert!(by_time(&[strict("a", 0, 30), strict("b", 20, 60)]).is_ok());
    assert!(by_time(&[strict("a", 0, 30), strict("b", 31, 60)]).is_err());
    // The tables beside them may begin a little later.
    assert!(by_time(&[strict("a", 0, 30), part("t", 31, 60)]).is_ok());
}

#[test]
fn times_at_the_ends_of_the_calendar_do_no_harm() {
    let mut extent = Extent::default();
    extent.see(i64::MIN, i64::MAX);
    let whole = Part {
        name: "x".to_owned(),
        extent,
        must_overlap: false,
    };
    assert!(by_time(&[whole, part("a", 0, 1)]).is_ok());
}

#[test]
fn a_clock_of_another_zone_is_named() {
    let hour = 3600;
    let help = |parts: &[Part]| by_time(parts).expect_err("apart").help.unwrap_or_default();
    let zoned = help(&[
        part("log", 0, 90),
        part("tables", 2 * hour + 3, 2 * hour + 92),
    ]);
    assert!(zoned.contains("differ by 2 h"), "{zoned}");
    let other = help(&[
        part("log", 0, 90),
        part("tables", 2 * hour + 3, 2 * hour + 300),
    ]);
    assert!(!other.contains("differ by"), "{other}");
}
