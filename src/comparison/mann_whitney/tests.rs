use super::*;

#[test]
fn counts_of_two_against_two() {
    // xxyy … yyxx: U = 0, 1, 2, 2, 3, 4.
    assert_eq!(counts_of_u(2, 2), [1, 1, 2, 1, 1]);
    assert_eq!(
        counts_of_u(40, 40).iter().sum::<u128>(),
        107_507_208_733_336_176_461_620
    );
}

#[test]
fn floors_of_small_samples() {
    // Two-sided p of complete separation: 0.10, 0.029, 0.0079, 0.0022.
    for (k, p) in [
        (3, 0.1),
        (4, 2.0 / 70.0),
        (5, 2.0 / 252.0),
        (6, 2.0 / 924.0),
    ] {
        let low: Vec<f64> = (0..k).map(f64::from).collect();
        let high: Vec<f64> = (10..10 + k).map(f64::from).collect();
        let m = mann_whitney(&low, &high).expect("values");
        assert!((m.p_two_sided - p).abs() < 1e-15);
        assert_eq!(m.u, 0.0);
        assert_eq!(m.superiority, 1.0);
    }
}

#[test]
fn ties_by_hand() {
    // x = 1, 2; y = 2, 3. Doubled midranks 2, 5, 5, 8. Pairs of x: 7, 7, 10, 10, 13, 13; observed 7.
    let m = mann_whitney(&[1.0, 2.0], &[2.0, 3.0]).expect("values");
    assert_eq!(m.u, 0.5);
    assert!((m.p_greater - 2.0 / 6.0).abs() < 1e-15);
    assert!((m.p_less - 1.0).abs() < 1e-15);
    assert!((m.p_two_sided - 4.0 / 6.0).abs() < 1e-15);
}

#[test]
fn ties_equal_full_enumeration() {
    let pooled = [1.0, 1.0, 2.0, 3.0, 3.0, 3.0, 5.0, 8.0, 8.0];
    let side = |mask: u32, of_x: bool| -> Vec<f64> {
        let chosen = |i: &usize| (mask >> i & 1 == 1) == of_x;
        (0..9).filter(chosen).map(|i| pooled[i]).collect()
    };
    let test = |mask| mann_whitney(&side(mask, true), &side(mask, false)).expect("values");
    let arrangements: Vec<u32> = (0..1 << 9).filter(|m: &u32| m.count_ones() == 4).collect();
    let us: Vec<f64> = arrangements.iter().map(|m| test(*m).u).collect();
    for (mask, u) in arrangements.iter().zip(&us) {
        let share = |n: usize| n as f64 / us.len() as f64;
        let m = test(*mask);
        assert!((m.p_greater - share(us.iter().filter(|v| *v <= u).count())).abs() < 1e-15);
        assert!((m.p_less - share(us.iter().filter(|v| *v >= u).count())).abs() < 1e-15);
    }
}

#[test]
fn all_equal_says_nothing() {
    for of in [mann_whitney, asymptotic] {
        let m = of(&[5.0; 4], &[5.0; 6]).expect("values");
        assert_eq!((m.p_two_sided, m.superiority), (1.0, 0.5));
    }
}

#[test]
fn one_value_a_side_says_nothing() {
    let m = mann_whitney(&[100.0], &[101.0]).expect("values");
    assert_eq!((m.p_two_sided, m.u), (1.0, 0.0));
}

#[test]
fn empty_is_too_few_runs() {
    let why = mann_whitney(&[], &[1.0]);
    assert_eq!(why, Err(Shortfall::TooFewRuns { runs: 0, needed: 1 }));
}

#[test]
fn ranks_of_five_against_five() {
    // Counts 1, 1, 2, 3 of 252: P(U ≤ 1) = 2/252 = 0.0079 ≤ 0.01; P(U ≤ 0) = 0.0040 ≤ 0.005.
    let rank = outermost_rank(5, 5, 0.01).expect("in reach");
    assert_eq!(rank.outside, 1);
    assert!((rank.error - 2.0 / 252.0).abs() < 1e-15);
    assert_eq!(outermost_rank(5, 5, 0.005).expect("in reach").outside, 0);
}

#[test]
fn four_against_four_cannot_reach_one_percent() {
    let why = outermost_rank(4, 4, 0.01);
    assert_eq!(
        why,
        Err(Shortfall::AlphaOutOfReach {
            smallest: 1.0 / 70.0
        })
    );
}

#[test]
fn approximate_ranks_are_near_the_exact_ones() {
    let exact = outermost_rank(40, 40, 0.01).expect("in reach").outside;
    let near = approximate_rank(40.0, 40.0, 0.01)
        .expect("in reach")
        .outside;
    assert!(exact.abs_diff(near) <= 2, "{exact} {near}");
}
