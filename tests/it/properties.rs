//! What must hold for any run.

use loadgate::summary::quantile::quantile;
use loadgate::tally::{Counts, Endpoint, ErrorKey, Request, Tally, windows};
use proptest::prelude::*;

use crate::harness::root;

#[test]
fn percentiles_equal_numpy_linear() {
    let text = std::fs::read_to_string(root("testdata/vectors/numpy_linear.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    for case in cases.as_array().unwrap() {
        let mut values: Vec<u64> = case["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_u64().unwrap())
            .collect();
        values.sort_unstable();
        for (percent, theirs) in case["percentiles"].as_object().unwrap() {
            let q = percent.parse::<f64>().unwrap() / 100.0;
            let ours = quantile(
                values.iter().map(|v| (*v as f64, 1)),
                values.len() as u64,
                q,
            )
            .unwrap();
            let theirs = theirs.as_f64().unwrap();
            assert!(
                (ours - theirs).abs() <= theirs.abs() * 1e-12,
                "p{percent} of {}: {ours} {theirs}",
                values.len()
            );
        }
    }
}

#[derive(Clone, Debug)]
struct Sample {
    start: i64,
    us: u64,
    endpoint: u8,
    status: u16,
    rows: u8,
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let one = (
        0..20_000_i64,
        0..5_000_000_u64,
        0..3_u8,
        prop::sample::select(vec![200, 404, 503]),
        any::<u8>(),
    );
    prop::collection::vec(
        one.prop_map(|(start, us, endpoint, status, rows)| Sample {
            start,
            us,
            endpoint,
            status,
            rows,
        }),
        0..120,
    )
}

fn count<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Tally {
    let mut tally = Tally::default();
    for s in samples {
        let endpoint = Endpoint {
            name: ["a", "b", "c"][usize::from(s.endpoint)].to_owned(),
            method: "GET".to_owned(),
        };
        let failure = ErrorKey::new(Some(s.status), "");
        let request = Request {
            start_ms: Some(s.start),
            response_time_us: s.us,
            status: Some(s.status),
            failure: (s.status >= 400).then_some(&failure),
            users: Some(u64::from(s.rows)),
            fields: &[("rows", f64::from(s.rows))],
            ..Request::default()
        };
        tally.add(endpoint, &request);
    }
    tally
}

proptest! {
    #[test]
    fn any_split_and_order_gives_the_same_tally(samples in samples(), cut in 0..121_usize) {
        let whole = count(&samples);
        let (a, b) = samples.split_at(cut.min(samples.len()));
        let mut ab = count(a);
        ab.merge(&count(b));
        let mut ba = count(b);
        ba.merge(&count(a));
        prop_assert_eq!(&ab, &whole);
        prop_assert_eq!(&ba, &whole);
        prop_assert_eq!(&count(samples.iter().rev()), &whole);
    }

    #[test]
    fn quantiles_rise_and_stay_within_bounds(mut values in prop::collection::vec(0..10_000_000_u64, 1..200)) {
        values.sort_unstable();
        let of = |q| quantile(values.iter().map(|v| (*v as f64, 1)), values.len() as u64, q).unwrap();
        let mut last = values[0] as f64;
        for step in 0..=1000 {
            let now = of(f64::from(step) / 1000.0);
            prop_assert!(now >= last && now <= values[values.len() - 1] as f64);
            last = now;
        }
    }

    #[test]
    fn peak_window_equals_brute_force(starts in prop::collection::vec(0..3_000_i64, 0..80), window in 1..1500_i64) {
        let counted: Counts = starts.iter().map(|s| (*s, 1)).collect();
        let brute = (0..3_000).map(|t| starts.iter().filter(|s| (t..t + window).contains(*s)).count() as u64).max();
        let ours = windows::peak(&counted, window).map_or(0, |p| p.count);
        prop_assert_eq!(ours, brute.unwrap_or(0));
    }
}

/// Reads bytes as a file of that name and takes only a verdict or diagnostics for an answer.
fn read_any(name: &str, bytes: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = crate::harness::file(&dir, name, bytes);
    match loadgate::input::load(&[path], &loadgate::input::Options::default()) {
        Ok(loaded) => drop(loadgate::summary::Summary::new(
            loaded.tally,
            loadgate::summary::About::default(),
        )),
        Err(problems) => assert!(!problems.is_empty(), "refused without a message"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_any("any", &bytes);
    }

    #[test]
    fn any_damage_to_a_real_file_is_read_or_refused(
        which in 0..5_usize, at in 0..2000_usize, cut in 0..4000_usize, byte in any::<u8>()
    ) {
        let name = ["run_stats.csv", "run_stats_history.csv", "run_failures.csv", "run_exceptions.csv", "run.json"][which];
        let mut bytes = std::fs::read(root("testdata/locust/2.47.0/weird_names").join(name)).unwrap();
        bytes.truncate(cut.max(1));
        let at = at % bytes.len();
        bytes[at] = byte;
        read_any(name, &bytes);
    }

    #[test]
    fn any_damage_to_a_log_line_is_read_or_refused(at in 0..400_usize, byte in any::<u8>()) {
        let mut bytes = crate::harness::ten_lines().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        read_any("log", &bytes);
    }
}
