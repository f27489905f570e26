use super::*;

const PLAN: Plan = Plan {
    replicates: 400,
    alpha: 0.025,
    seed: 11,
};

/// `per_second` log-normal response times (median 100 ms, sigma `within`) in each of `seconds`, whose level follows an
/// AR(1) of lag-1 correlation `rho` and standard deviation `between`.
fn run(seed: u64, seconds: u64, per_second: u64, within: f64, between: f64, rho: f64) -> Seconds {
    let mut draws = Draws::new(seed);
    let mut normal = move || {
        let (u, v) = (1.0 - draws.uniform(), draws.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let mut level = normal() * between;
    let mut times = Vec::new();
    for second in 0..seconds {
        for _ in 0..per_second {
            let ln_us = 100_000_f64.ln() + level + within * normal();
            times.push((second, ln_us.exp() as u64, 1));
        }
        level = rho * level + (1.0 - rho * rho).sqrt() * between * normal();
    }
    Seconds::collect(times).expect("requests")
}

fn spread(seconds: &Seconds, statistic: Statistic) -> Spread {
    let resampled = resample(seconds, &[statistic], PLAN).expect("enough seconds");
    resampled.spreads[0].expect("positive")
}

#[test]
fn independent_requests_are_worth_themselves() {
    // se of the mean of 10,000 log-normals with sigma 0.3: √(e^0.09 − 1) / 100 = 0.00307;
    // of the log median: sigma √(π/2) / √n = 0.3 × 1.2533 / 100 = 0.00376.
    let seconds = run(1, 200, 50, 0.3, 0.0, 0.0);
    let mean = spread(&seconds, Statistic::Mean);
    assert!((mean.standard_error - 0.003_07).abs() < 0.000_6, "{mean:?}");
    assert!((mean.design_effect.expect("varies") - 1.0).abs() < 0.35);
    let median = spread(&seconds, Statistic::Quantile(0.5));
    assert!(
        (median.standard_error - 0.003_76).abs() < 0.000_8,
        "{median:?}"
    );
    assert!((median.design_effect.expect("varies") - 1.0).abs() < 0.35);
    assert!(median.lower_offset < 0.0 && median.upper_offset > 0.0);
    // A 95 % interval of a normal is 2 × 1.96 se wide.
    let width = (median.upper_offset - median.lower_offset) / median.standard_error;
    assert!((width - 3.92).abs() < 0.5, "{width}");
}

#[test]
fn requests_of_a_wavering_server_are_worth_few() {
    // Level sd 0.2, AR(1) 0.8: variance of the mean level 0.04/300 × (1 + 0.8)/(1 − 0.8) = 0.0012, se 0.035;
    // as many independent requests would have se 0.36/√9000 = 0.0038: design effect about 85.
    let seconds = run(2, 300, 30, 0.3, 0.2, 0.8);
    let resampled = resample(&seconds, &[Statistic::Mean, Statistic::Quantile(0.5)], PLAN)
        .expect("enough seconds");
    assert!(resampled.block.steps >= 4, "{:?}", resampled.block);
    for answer in resampled.spreads {
        let spread = answer.expect("positive");
        assert!(
            spread.standard_error > 0.018 && spread.standard_error < 0.05,
            "{spread:?}"
        );
        assert!(spread.design_effect.expect("varies") > 15.0, "{spread:?}");
        assert!(spread.effective_requests < 600.0, "{spread:?}");
    }
}

#[test]
fn the_standard_error_is_the_spread_of_repeated_runs() {
    // 40 runs of the same law: the sd of their log means against the mean bootstrap standard error.
    let spreads: Vec<Spread> = (100..140)
        .map(|seed| spread(&run(seed, 240, 20, 0.3, 0.15, 0.5), Statistic::Mean))
        .collect();
    let estimates: Vec<f64> = spreads.iter().map(|s| s.estimate).collect();
    let seen = variance(&estimates).sqrt();
    let told = spreads.iter().map(|s| s.standard_error).sum::<f64>() / 40.0;
    assert!(
        told / seen > 0.7 && told / seen < 1.3,
        "told {told}, seen {seen}"
    );
}

#[test]
fn same_seed_same_answer() {
    let seconds = run(3, 60, 20, 0.3, 0.1, 0.5);
    let of = |seed| {
        resample(
            &seconds,
            &[Statistic::Quantile(0.95)],
            Plan { seed, ..PLAN },
        )
    };
    assert_eq!(of(5), of(5));
    assert_ne!(of(5), of(6));
}

#[test]
fn all_equal_has_no_spread() {
    let seconds = Seconds::collect((0..60).map(|s| (s, 250_000, 10))).expect("requests");
    for statistic in [Statistic::Mean, Statistic::Quantile(0.95)] {
        let spread = spread(&seconds, statistic);
        assert_eq!(spread.standard_error, 0.0);
        assert_eq!(
            (spread.design_effect, spread.effective_requests),
            (None, 600.0)
        );
    }
}

#[test]
fn one_value_is_too_few_seconds() {
    let seconds = Seconds::collect([(0, 100, 1)]).expect("a request");
    let why = resample(&seconds, &[Statistic::Mean], PLAN);
    let expected = Shortfall::TooFewSeconds {
        seconds: 1,
        needed: 10,
    };
    assert_eq!(why, Err(expected));
}

#[test]
fn a_median_of_zero_has_no_logarithm() {
    let seconds = Seconds::collect((0..60).map(|s| (s, 0, 10))).expect("requests");
    let resampled = resample(&seconds, &[Statistic::Quantile(0.5)], PLAN).expect("seconds");
    assert_eq!(resampled.spreads, [Err(Shortfall::NotPositive)]);
}

#[test]
fn a_quantile_outside_the_unit_interval_is_refused() {
    let seconds = run(4, 20, 5, 0.3, 0.0, 0.0);
    let resampled = resample(&seconds, &[Statistic::Quantile(1.0)], PLAN).expect("seconds");
    assert_eq!(resampled.spreads, [Err(Shortfall::OutOfDomain)]);
}

/// `cargo test --release --lib bootstrap -- --ignored --nocapture` prints the seconds it takes.
#[test]
#[ignore = "a timing, not a truth"]
fn ten_endpoints_of_fifty_thousand_requests() {
    for (seconds, per_second) in [(60, 833), (600, 83), (3600, 14)] {
        let runs: Vec<_> = (0..10)
            .map(|s| run(s, seconds, per_second, 0.6, 0.1, 0.5))
            .collect();
        let asked = [0.5, 0.95, 0.99].map(Statistic::Quantile);
        let start = std::time::Instant::now();
        for run in &runs {
            let plan = Plan {
                replicates: REPLICATES,
                ..PLAN
            };
            resample(run, &asked, plan).expect("enough seconds");
        }
        println!("{seconds} s: {:?}", start.elapsed());
    }
}
