use super::*;

/// Percent changes: estimate, lower and upper; 5 % margin, 5 ms floor, 200 ms baseline, replicated, noise known.
fn evidence(estimate: f64, lower: f64, upper: f64) -> Evidence {
    let log = |percent: f64| (percent / 100.0).ln_1p();
    Evidence {
        difference: Ok(Difference {
            estimate: log(estimate),
            lower: log(lower),
            upper: log(upper),
        }),
        baseline: 200.0,
        current: 200.0 * (1.0 + estimate / 100.0),
        margin: 0.05,
        floor: 5.0,
        noise: Noise::Known,
        replication: Replication::BothSides,
        survives: Survives {
            worse: true,
            better: true,
        },
        adjusted: None,
    }
}

fn judged(evidence: &Evidence) -> (Word, Reason) {
    let judgement = judge(evidence);
    (judgement.word, judgement.reason)
}

#[test]
fn fourteen_percent_in_five_runs_regressed() {
    let judgement = judged(&evidence(14.0, 6.0, 23.0));
    assert_eq!(judgement, (Word::Regressed, Reason::BeyondMargin));
}

#[test]
fn fourteen_percent_in_one_run_is_suspect() {
    let e = Evidence {
        replication: Replication::OneRun,
        ..evidence(14.0, 6.0, 23.0)
    };
    assert_eq!(judged(&e), (Word::Suspect, Reason::OneRun));
}

#[test]
fn fourteen_percent_less_improved() {
    let judgement = judged(&evidence(-14.0, -23.0, -6.0));
    assert_eq!(judgement, (Word::Improved, Reason::BeyondMargin));
}

#[test]
fn fourteen_percent_less_in_one_run_is_unconfirmed() {
    let e = Evidence {
        replication: Replication::OneRun,
        ..evidence(-14.0, -23.0, -6.0)
    };
    assert_eq!(
        judged(&e),
        (Word::NotEnoughData, Reason::UnconfirmedImprovement)
    );
}

#[test]
fn throughput_is_turned_round() {
    // 14 % fewer requests per second, turned so that more is worse.
    let fewer = evidence(-14.0, -23.0, -6.0);
    let e = Evidence {
        difference: fewer.difference.map(Difference::reversed),
        ..fewer
    };
    assert_eq!(judged(&e).0, Word::Regressed);
}

#[test]
fn an_interval_within_the_margin_is_unchanged() {
    assert_eq!(
        judged(&evidence(0.2, -1.8, 2.1)),
        (Word::Unchanged, Reason::WithinMargin)
    );
}

#[test]
fn a_small_sure_change_is_unchanged_with_a_note() {
    let judgement = judged(&evidence(3.0, 2.0, 4.0));
    assert_eq!(judgement, (Word::Unchanged, Reason::ChangedWithinMargin));
}

#[test]
fn a_small_change_that_may_be_large_cannot_be_told() {
    let judgement = judged(&evidence(4.0, 1.0, 9.0));
    assert_eq!(judgement, (Word::NotEnoughData, Reason::IntervalTooWide));
}

#[test]
fn a_wide_interval_cannot_be_told() {
    let judgement = judged(&evidence(5.0, -9.0, 21.0));
    assert_eq!(judgement, (Word::NotEnoughData, Reason::IntervalTooWide));
}

#[test]
fn below_the_floor_nothing_changed() {
    // 10 ms + 20 % = 12 ms: 2 ms is less than 5 ms; the margin becomes ln 1.5, and +15..+25 % lies within.
    let e = Evidence {
        baseline: 10.0,
        current: 12.0,
        ..evidence(20.0, 15.0, 25.0)
    };
    assert_eq!(judged(&e), (Word::Unchanged, Reason::ChangedWithinMargin));
    assert!((judge(&e).margin - 1.5_f64.ln()).abs() < 1e-15);
}

#[test]
fn a_change_lost_among_many_is_not_enough() {
    let e = Evidence {
        survives: Survives::default(),
        ..evidence(14.0, 6.0, 23.0)
    };
    assert_eq!(
        judged(&e),
        (Word::NotEnoughData, Reason::LostToMultiplicity)
    );
}

#[test]
fn unknown_noise_is_suspect_only_far_out() {
    let with = |wide_margin, lower| Evidence {
        noise: Noise::Unknown { wide_margin },
        ..evidence(40.0, lower, 60.0)
    };
    let suspect = (Word::Suspect, Reason::BeyondWideMargin);
    let unknown = (Word::NotEnoughData, Reason::NoiseUnknown);
    assert_eq!(judged(&with(UNKNOWN_NOISE_MARGIN, 11.0)), suspect);
    assert_eq!(judged(&with(UNKNOWN_NOISE_MARGIN, 9.0)), unknown);
    assert_eq!(judged(&with(UNKNOWN_NOISE_TAIL_MARGIN, 31.0)), suspect);
    assert_eq!(judged(&with(UNKNOWN_NOISE_TAIL_MARGIN, 29.0)), unknown);
}

#[test]
fn unknown_noise_never_says_unchanged() {
    let e = Evidence {
        noise: Noise::Unknown {
            wide_margin: UNKNOWN_NOISE_MARGIN,
        },
        ..evidence(0.2, -1.8, 2.1)
    };
    assert_eq!(judged(&e), (Word::NotEnoughData, Reason::NoiseUnknown));
}

#[test]
fn unknown_noise_never_says_improved() {
    let e = Evidence {
        noise: Noise::Unknown {
            wide_margin: UNKNOWN_NOISE_MARGIN,
        },
        ..evidence(-40.0, -50.0, -30.0)
    };
    assert_eq!(
        judged(&e),
        (Word::NotEnoughData, Reason::UnconfirmedImprovement)
    );
}

#[test]
fn rounding_widens_the_interval() {
    let d = evidence(14.0, 6.0, 23.0).difference.map(|d| d.widened(0.1));
    let e = Evidence {
        difference: d,
        ..evidence(14.0, 6.0, 23.0)
    };
    assert_eq!(judged(&e), (Word::NotEnoughData, Reason::IntervalTooWide));
}

#[test]
fn what_is_missing_is_said() {
    let why = Shortfall::TooFewRuns { runs: 1, needed: 2 };
    let e = Evidence {
        difference: Err(why),
        ..evidence(0.0, 0.0, 0.0)
    };
    assert_eq!(judged(&e), (Word::NotEnoughData, Reason::Missing(why)));
}

#[test]
fn not_a_number_is_never_a_verdict() {
    for bad in [
        evidence(f64::NAN, 1.0, 2.0),
        evidence(14.0, f64::NAN, 23.0),
        Evidence {
            baseline: 0.0,
            ..evidence(14.0, 6.0, 23.0)
        },
        Evidence {
            current: f64::NAN,
            ..evidence(14.0, 6.0, 23.0)
        },
    ] {
        let out_of_domain = Reason::Missing(Shortfall::OutOfDomain);
        assert_eq!(judged(&bad), (Word::NotEnoughData, out_of_domain));
    }
}
