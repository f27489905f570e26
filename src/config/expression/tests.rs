use super::*;

fn limit(text: &str) -> Limit {
    parse(text).expect(text).limit
}

fn absolute(numerator: i128, denominator: i128) -> Limit {
    Limit::Absolute(fraction(numerator, denominator))
}

fn fraction(numerator: i128, denominator: i128) -> Fraction {
    Fraction::new(numerator, denominator).expect("a fraction")
}

#[test]
fn limits_are_in_base_units() {
    assert_eq!(limit("p95 < 1.5s"), absolute(1500, 1));
    assert_eq!(limit("failure_ratio < 1%"), absolute(1, 100));
    assert_eq!(limit("ratio(status=5xx) < 0.005"), absolute(5, 1000));
    assert_eq!(limit("rps > 50/s"), absolute(50, 1));
    assert_eq!(limit("max(memory_mb) < 2GB"), absolute(2000, 1));
    assert_eq!(limit("slope(memory_mb) < 50MB/h"), absolute(50, 1));
    assert_eq!(
        limit("p95 <= baseline + 20%"),
        Limit::Baseline {
            factor: fraction(6, 5),
            offset: Fraction::ZERO
        }
    );
    assert_eq!(
        limit("p95 <= baseline + 50ms"),
        Limit::Baseline {
            factor: Fraction::ONE,
            offset: Fraction::whole(50)
        }
    );
}

#[test]
fn metrics_and_windows() {
    assert_eq!(
        parse("p99.9 < 1s").expect("valid").metric,
        Metric::Quantile(0.999)
    );
    assert_eq!(
        parse("max(api_calls)<=2").expect("valid").metric,
        Metric::Field(Aggregate::Max, "api_calls".into())
    );
    assert_eq!(
        parse("requests >= 5 within 1min").expect("valid").within_s,
        Some(60.0)
    );
    assert!(matches!(
        parse("count(error~\"time < out\") < 3")
            .expect("valid")
            .metric,
        Metric::Count(Filter::Error(_))
    ));
}

#[test]
fn mistakes_point_at_their_place() {
    let mistake = |text: &str| {
        let m = parse(text).expect_err(text);
        (m.code, text[m.start..m.start + m.len].to_owned())
    };
    assert_eq!(mistake("p95th < 500ms"), ("unknown-metric", "p95th".into()));
    assert_eq!(mistake("p95 < 500"), ("bad-unit", "500".into()));
    assert_eq!(mistake("p95 < fast"), ("bad-value", "fast".into()));
    assert_eq!(mistake("failure_ratio < 5"), ("bad-unit", "5".into()));
    assert_eq!(mistake("p95"), ("bad-expression", "p95".into()));
    assert_eq!(mistake("p95 = 3ms"), ("bad-expression", "=".into()));
    assert_eq!(
        mistake("ratio(state=1) < 1%"),
        ("bad-expression", "state=1".into())
    );
    assert_eq!(
        mistake("count(error~\"timeout after 5001\") == 0"),
        ("bad-expression", "error~\"timeout after 5001\"".into())
    );
    assert!(
        parse(r#"count(error~"after \d+ms") == 0"#)
            .is_err_and(|m| m.help.contains(r#"`error~"after #ms"`"#))
    );
    assert_eq!(mistake("max(rows) < 3s"), ("bad-unit", "3s".into()));
    assert!(
        parse("p0 < 1s").is_err() && parse("p101 < 1s").is_err() && parse("p95 < nan").is_err()
    );
}
