use super::*;

#[test]
fn ten_mistakes_give_ten_messages() {
    let text = include_str!("../../testdata/broken/ten_mistakes.toml");
    let problems = parse(text, "ten_mistakes.toml").expect_err("ten mistakes");
    let shown: Vec<String> = problems.iter().map(Diagnostic::short).collect();
    assert_eq!(problems.len(), 10, "{}", shown.join("\n"));
    for problem in &problems {
        assert!(
            problem.origin.as_ref().is_some_and(|o| o.line.is_some()),
            "{}",
            problem.short()
        );
    }
}

#[test]
fn a_whole_gate_file() {
    let text = r#"
[run]
warmup = "30s"
on-undecided = "warn"
[failures]
expected = [403, 404, 409]
[input.map]
response_time = "took:ms"
[[gate]]
id = "a"
require = ["p95 < 1s", "p99 < 2s"]
on = ["FINALIZAR*", "/^GET/"]
[[gate]]
id = "b"
any = ["rps > 50", "p50 < 1s"]
level = "warn"
min-samples = 5
[[gate]]
id = "c"
require = "p95 <= baseline + 20%"
floor = "20ms"
on = "*"
"#;
    let config = parse(text, "loadgate.toml").expect("valid");
    assert_eq!(
        (config.span.warmup_ms, config.undecided_warns),
        (Some(30_000.0), true)
    );
    assert_eq!(config.expected, [403, 404, 409]);
    assert_eq!(
        config.map,
        [("response_time".to_owned(), "took:ms".to_owned())]
    );
    assert_eq!(config.gates.len(), 3);
    assert_eq!(config.gates[1].combine, Combine::Any);
    assert_eq!(config.gates[2].floor, Some(20.0));
    assert_eq!(config.gates[0].origin.line, Some(10));
}

#[test]
fn every_mistake_in_a_quota_is_told() {
    let text = include_str!("../../testdata/broken/quotas.toml");
    let problems = parse(text, "quotas.toml").expect_err("mistakes");
    let shown: Vec<String> = problems.iter().map(Diagnostic::short).collect();
    let expected = [
        "quotas.toml:6:6: error[duplicate-id]: there are two rules `Q`",
        "quotas.toml:9:1: error[missing-key]: the quota has no `id`",
        "quotas.toml:12:1: error[missing-key]: quota `no-limit` has no `limit`",
        "quotas.toml:17:9: error[bad-value]: `sixty per minute` is not a rate",
        "quotas.toml:18:8: error[bad-value]: a cost is a measured field, or a whole number from 1",
        "quotas.toml:19:9: error[bad-value]: `20 in 10s` is not a rate",
        "quotas.toml:20:10: error[bad-value]: `1/s` is not a token bucket",
        "quotas.toml:21:9: error[bad-value]: `maybe` is not a level",
        "quotas.toml:22:1: error[unknown-key]: unknown key `targets`",
        "quotas.toml:27:10: error[bad-value]: a target of `120%` is not above 0 and up to the limit",
        "quotas.toml:28:6: error[bad-selector]:",
    ];
    assert_eq!(shown.len(), expected.len(), "{}", shown.join("\n"));
    for (shown, expected) in shown.iter().zip(expected) {
        assert!(shown.starts_with(expected), "{shown}\n{expected}");
    }
}

#[test]
fn carets_stand_under_the_mistake() {
    let problems = parse(
        "[[gate]]\nid = \"x\"\nrequire = \"p95th < 500ms\"\n",
        "loadgate.toml",
    )
    .expect_err("a mistake");
    assert_eq!(
        problems[0].origin.as_ref().map(ToString::to_string),
        Some("loadgate.toml:3:12".to_owned())
    );
    assert_eq!(
        problems[0].snippet.as_ref().map(|s| (s.start, s.len)),
        Some((11, 5))
    );
}

#[test]
fn require_may_name_endpoints() {
    assert!(
        require("p95 < 1s on GET /a*", 1)
            .expect("valid")
            .on
            .is_some()
    );
    assert_eq!(
        require("p95 < 500", 1).expect_err("no unit").code,
        "bad-unit"
    );
}

fn problems(text: &str) -> Vec<(&'static str, String)> {
    let found = match parse(text, "g.toml") {
        Ok(_) => Vec::new(),
        Err(found) => found,
    };
    let place = |p: &Diagnostic| p.origin.as_ref().map_or(String::new(), ToString::to_string);
    found.iter().map(|p| (p.code, place(p))).collect()
}

/// The code of the only problem of a gate with these lines.
fn code_of(lines: &str) -> Option<&'static str> {
    let found = problems(&format!("[[gate]]\nid = \"g\"\n{lines}\n"));
    assert!(found.len() <= 1, "{lines}: {found:?}");
    found.first().map(|(code, _)| *code)
}

#[test]
fn mistakes_of_type_hide_no_others() {
    let text = r#"
[run]
warmup = 30
[failures]
expected = "404"
[[gate]]
id = 7
require = true
on = 5
level = 3
min-samples = "many"
max-missing = 5
significant = "yes"
nonsense = 1
[[gate]]
require = ["p95 < 5", 3, "p99 < fast"]
on = ["/(/", 4, "/[/"]
[[quota]]
id = "q"
limit = 60
target = "200%"
burst = "often"
level = "bad"
"#;
    let found: Vec<String> = problems(text).into_iter().map(|(_, place)| place).collect();
    let lines = |line: u32| {
        found
            .iter()
            .filter(|p| p.starts_with(&format!("g.toml:{line}:")))
            .count()
    };
    for line in [3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23] {
        assert_eq!(lines(line), 1, "line {line}: {found:?}");
    }
    // Each entry of a list has a place of its own.
    assert_eq!((lines(16), lines(17)), (3, 3), "{found:?}");
    assert_eq!(found.len(), 21, "{found:?}");
}

#[test]
fn a_table_in_place_of_a_list_is_read_all_the_same() {
    let found = problems("[gate]\nid = \"a\"\nrequire = \"p95 < 5\"\n");
    assert_eq!(
        found,
        [
            ("bad-value", "g.toml:1:1".to_owned()),
            ("bad-unit", "g.toml:3:18".to_owned())
        ]
    );
    assert_eq!(
        problems("gate = 3"),
        [("bad-value", "g.toml:1:8".to_owned())]
    );
    assert_eq!(
        problems("[[gates]]"),
        [("unknown-key", "g.toml:1:3".to_owned())]
    );
}

#[test]
fn what_is_not_toml_hides_nothing_elsewhere() {
    let text = "[[gate]]\nid = PERF-01\nrequire = \"p95 < 5\"\n[[gate]]\nid = \"b\"\nrequire = \"p95 < 1s\"\nlevle = \"warn\"\n";
    let expected = [
        ("config-syntax", "g.toml:2:6"),
        ("bad-unit", "g.toml:3:18"),
        ("unknown-key", "g.toml:7:1"),
    ];
    assert_eq!(
        problems(text),
        expected.map(|(code, place)| (code, place.to_owned()))
    );
}

#[test]
fn a_mark_of_the_byte_order_is_no_mistake() {
    let text = "\u{feff}[[gate]]\r\nid = \"a\"\r\nrequire = \"p95 < 5\"\r\n";
    assert_eq!(problems(text), [("bad-unit", "g.toml:3:18".to_owned())]);
}

#[test]
fn a_key_without_effect_is_a_mistake() {
    let idle = Some("no-effect");
    for lines in [
        "require = \"p95 < 1s\"\nfloor = \"20ms\"",
        "require = \"p95 < 1s\"\nsignificant = true",
        "require = \"p95 < 1s\"\nsignificant = false",
        "require = \"requests >= 100\"\nmin-samples = 20",
        "require = [\"failures <= 3\", \"peak_rps < 10\"]\nmin-samples = 20",
        "require = \"duration >= 1min\"\nmin-samples = 20",
        "require = \"rps > 5 within 10s\"\nmin-samples = 20",
        "require = \"p95 < 1s\"\nmax-missing = \"5%\"",
        "require = \"users >= 10\"\non = \"GET *\"",
        "require = [\"p95 < 1s\", \"duration < 1h\"]\non = \"GET *\"",
        "require = [\"p95 < 1s\", \"p95 < 1s\"]",
        "require = \"p95 < 1s\"\non = [\"/a\", \"/a\"]",
    ] {
        assert_eq!(code_of(lines), idle, "{lines}");
    }
    for lines in [
        "require = [\"p95 < 1s\", \"p95 <= baseline + 20%\"]\nfloor = \"20ms\"",
        "require = \"p95 <= baseline\"\nsignificant = false",
        "require = [\"requests >= 100\", \"p95 < 1s\"]\nmin-samples = 50",
        "require = [\"max(rows) < 5\", \"p95 < 1s\"]\nmax-missing = \"5%\"",
        "require = \"p95(rows) < 5\"\nmin-samples = 50",
        "require = \"rps > 5\"\nmin-samples = 50",
        "require = \"users >= 10\"",
    ] {
        assert_eq!(code_of(lines), None, "{lines}");
    }
    // One floor cannot be of two units.
    let two =
        "require = [\"p95 <= baseline + 5%\", \"failure_ratio <= baseline + 1%\"]\nfloor = \"5ms\"";
    assert_eq!(code_of(two), Some("bad-value"));
    assert_eq!(
        code_of("require = \"p95 <= baseline\"\nfloor = \"0ms\""),
        Some("bad-value")
    );
    let section = |text: &str| problems(text).first().map(|(code, _)| *code);
    for text in [
        "[failures]\nexpected = [404, 404]",
        "[failures]\nexpected = []",
        "[input.map]\nname = \"label:ms\"",
        "[regression]\nmetrics = [\"failure_ratio\"]\nfloor = \"5ms\"",
        "[regression]\nmetrics = [\"mean\", \"mean\"]",
        "[regression]\nlevel = \"warn\"\non-suspect = \"fail\"",
    ] {
        assert_eq!(section(text), idle, "{text}");
    }
    assert_eq!(section("[regression]\nfloor = \"0ms\""), None);
    assert_eq!(section("[failures]\nexpected = [200]"), Some("bad-value"));
}

#[test]
fn a_quota_says_something() {
    let code = |lines: &str| {
        let found = problems(&format!("[[quota]]\nid = \"q\"\n{lines}\n"));
        assert!(found.len() <= 1, "{lines}: {found:?}");
        found.first().map(|(code, _)| *code)
    };
    let limit = "limit = \"60 per 60s\"\ntarget = \"50%\"\n";
    // Up to 29 in a minute keep the target, so none of these can be broken alone.
    for idle in [
        "burst = \"29 per 10s\"",
        "burst = \"58 per 61s\"",
        "bucket = \"1/s burst 29\"",
    ] {
        assert_eq!(code(&format!("{limit}{idle}")), Some("no-effect"), "{idle}");
    }
    for strict in [
        "burst = \"28 per 10s\"",
        "burst = \"57 per 61s\"",
        "bucket = \"1/s burst 28\"",
        "bucket = \"0.4/s burst 29\"",
    ] {
        assert_eq!(code(&format!("{limit}{strict}")), None, "{strict}");
    }
    // One request alone breaks them.
    for useless in [
        "limit = \"1 per 60s\"\ntarget = \"100%\"",
        "limit = \"1 per 60s\"\ncost = 2",
        "limit = \"60 per 60s\"\ntarget = \"5%\"\ncost = 3",
        "limit = \"60 per 60s\"\nburst = \"1 per 1s\"\ncost = 3",
        "limit = \"60 per 60s\"\nbucket = \"1/s burst 2\"\ncost = 3",
    ] {
        assert_eq!(code(useless), Some("useless-limit"), "{useless}");
    }
    // What costs nothing can be within any limit.
    assert_eq!(
        code("limit = \"1 per 60s\"\ntarget = \"100%\"\ncost = \"rows\""),
        None
    );
    assert_eq!(
        code("limit = \"60 per 60s\"\ncost = \"rows\"\nburst = \"1 per 1s\""),
        None
    );
}

#[test]
fn durations_are_sensible_wherever_they_stand() {
    for text in [
        "[run]\nwarmup = \"9999999999999h\"",
        "[run]\nwarmup = \"0s\"",
        "[run]\nwarmup = \"-5s\"",
        "[run]\nfrom = \"99999999h\"",
        "[run]\nto = \"1e300ms\"",
        "[run]\nfrom = \"2min\"\nto = \"1min\"",
        "[run]\nwarmup = \"2min\"\nto = \"2min\"",
        "[regression]\nfloor = \"99999999h\"",
        "[[quota]]\nid = \"q\"\nlimit = \"5 per 99999999h\"",
        "[[quota]]\nid = \"q\"\nlimit = \"5 per 0s\"",
        "[[quota]]\nid = \"q\"\nlimit = \"5 per 0.5ms\"",
    ] {
        let found = problems(text);
        assert_eq!(
            found.first().map(|(code, _)| *code),
            Some("bad-value"),
            "{text}"
        );
        assert_eq!(found.len(), 1, "{text}");
    }
    for require in [
        "apdex(1e300ms) > 0.5",
        "apdex(0ms) > 0.5",
        "apdex(0.1us) > 0.5",
        "apdex(99999999h) > 0.5",
        "peak(0s) < 5",
        "peak(1.5ms) < 5",
        "peak(99999999h) < 5",
        "rps > 5 within 0s",
        "rps > 5 within 1.5s",
        "rps > 5 within 500ms",
        "rps > 5 within 99999999h",
        "rps > 5 for -60s",
    ] {
        assert_eq!(
            code_of(&format!("require = \"{require}\"")),
            Some("bad-value"),
            "{require}"
        );
    }
    // What is not measured in windows, or not compared in them, is told before the data is read.
    for require in [
        "mean < 1s within 60s",
        "users > 5 within 60s",
        "p95 <= baseline within 60s",
    ] {
        assert_eq!(
            code_of(&format!("require = \"{require}\"")),
            Some("bad-expression"),
            "{require}"
        );
    }
}

#[test]
fn the_selector_begins_at_the_first_on_behind_the_comparison() {
    let read = |text: &str| {
        let gate = require(text, 1).expect(text);
        (gate.requirements[0].text.clone(), gate.on.map(|on| on.text))
    };
    let both = |rule: &str, on: &str| (rule.to_owned(), Some(on.to_owned()));
    assert_eq!(
        read("p95 < 1s on GET /a on b"),
        both("p95 < 1s", "GET /a on b")
    );
    assert_eq!(
        read("p95 < 1s  on\tGET /pay for order"),
        both("p95 < 1s", "GET /pay for order")
    );
    assert_eq!(
        read("rps > 5 within 60s on a within b"),
        both("rps > 5 within 60s", "a within b")
    );
    let timed = "count(error~\"timed out on connect\") == 0";
    assert_eq!(read(timed), (timed.to_owned(), None));
    assert_eq!(read(&format!("{timed} on /a")), both(timed, "/a"));
    let quoted = r#"count(error~"say \"no\" < on > \(x") == 0"#;
    assert_eq!(
        read(&format!("{quoted} on POST on")),
        both(quoted, "POST on")
    );
    assert_eq!(
        read("max(calls on db) <= 2 on a"),
        both("max(calls on db) <= 2", "a")
    );
    assert_eq!(read("p95 < 1s on con on"), both("p95 < 1s", "con on"));
    let code = |text: &str| require(text, 1).expect_err(text).code;
    assert_eq!(code("p95 < 1s on"), "bad-selector");
    assert_eq!(code("p95 < 1s on /(/"), "bad-selector");
    assert_eq!(code("users > 5 on GET /a"), "no-effect");
    assert_eq!(code("count(error~\"x) < 3 on a"), "bad-expression");
}

#[test]
fn an_unstated_outcome_may_be_said_to_be_a_success() {
    let read = |text: &str| {
        parse(text, "g.toml")
            .map(|c| c.unstated_success)
            .map_err(|p| p[0].code)
    };
    assert_eq!(read(""), Ok(false));
    assert_eq!(read("[failures]\nunstated = \"success\""), Ok(true));
    assert_eq!(read("[failures]\nunstated = \"failure\""), Err("bad-value"));
    assert_eq!(read("[failures]\nunstated = true"), Err("bad-value"));
}
