//! How requests ended and how long they took, where a log says it in another way, or does not say it: no gate is green
//! without cause.

use std::fmt::Write as _;

use std::path::Path;

use crate::harness::{file, loadgate_in};

/// A log of 120 requests, five a second; `line` gives what stands behind time stamp, method and name.
fn log(line: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for i in 0..120 {
        let at = 1_790_000_000.0 + i as f64 * 0.2;
        let rest = line(i);
        writeln!(
            text,
            r#"{{"timestamp":{at:.1},"method":"GET","name":"/orders",{rest}}}"#
        )
        .expect("a string takes all");
    }
    text
}

/// `check` of a log by standard input.
fn check(log: &str, args: &[&str]) -> Answer {
    let args = [&["check", "-"], args].concat();
    let run = loadgate_in(Path::new("/"), &args, log.as_bytes());
    Answer(run.code, format!("{}{}", run.stdout, run.stderr))
}

/// Exit code, and what both streams say.
struct Answer(i32, String);

/// Every third of the requests.
fn third(i: usize, yes: &str, no: &str) -> String {
    if i.is_multiple_of(3) { yes } else { no }.to_owned()
}

const FEW_FAILURES: [&str; 2] = ["--require", "failure_ratio < 1%"];

#[test]
fn outcomes_in_every_spelling() {
    // What every third line says, what the others say; exit code.
    for (bad, good, exit) in [
        (r#""statusCode":500"#, r#""statusCode":200"#, 1),
        (
            r#""http.response.status_code":503"#,
            r#""http.response.status_code":204"#,
            1,
        ),
        (
            r#""http":{"response":{"status_code":503}}"#,
            r#""http":{"response":{"status_code":204}}"#,
            1,
        ),
        (r#""status":"502 Bad Gateway""#, r#""status":"200 OK""#, 1),
        (
            r#""status":"HTTP/1.1 404 Not Found""#,
            r#""status":"HTTP/1.1 200 OK""#,
            1,
        ),
        (r#""status":"error""#, r#""status":"ok""#, 1),
        (r#""status":0"#, r#""status":200"#, 1),
        (r#""status":"0""#, r#""status":"200""#, 1),
        (r#""failed":true"#, r#""failed":false"#, 1),
        (r#""isError":1"#, r#""isError":0"#, 1),
        (r#""success":0"#, r#""success":1"#, 1),
        (r#""success":"no""#, r#""success":"yes""#, 1),
        (r#""success":"KO""#, r#""success":"OK""#, 1),
        (r#""ok":"f""#, r#""ok":"t""#, 1),
        (r#""passed":"Fail""#, r#""passed":"Pass""#, 1),
        (r#""success":"perhaps""#, r#""success":true"#, 2),
        (r#""success":7"#, r#""success":true"#, 2),
        (r#""status":"green""#, r#""status":"200 OK""#, 2),
        (r#""grpcStatus":14"#, r#""grpcStatus":0"#, 1),
        (r#""grpc_code":"UNAVAILABLE""#, r#""grpc_code":"OK""#, 1),
        (
            r#""request_type":"grpc","status":5"#,
            r#""request_type":"grpc","status":0"#,
            1,
        ),
        (r#""grpc_code":99"#, r#""grpc_code":0"#, 2),
        (r#""outcome":"failure""#, r#""outcome":"success""#, 1),
        (r#""errorMessage":"boom""#, r#""errorMessage":"""#, 1),
        (r#""exception.type":"TimeoutError""#, r#""status":200"#, 1),
        (r#""error":{"code":7}"#, r#""error":{}"#, 1),
        (
            r#""error":"boom","exception":"-""#,
            r#""error":"-","exception":"-""#,
            1,
        ),
        (
            r#""error":"-","exception":"boom""#,
            r#""error":"-","exception":"-""#,
            1,
        ),
        // Neither is a failure.
        (r#""status":200,"error":"-""#, r#""status":200"#, 0),
        (r#""status":200,"error":"None""#, r#""status":200"#, 0),
        (
            r#""status":200,"error":{}"#,
            r#""status":200,"error":[]"#,
            0,
        ),
        (
            r#""status":200,"error":0"#,
            r#""status":200,"error":false"#,
            0,
        ),
    ] {
        let log = log(|i| format!(r#""response_time_ms":20,{}"#, third(i, bad, good)));
        let answer = check(&log, &FEW_FAILURES);
        assert_eq!(answer.0, exit, "{bad} and {good}\n{}", answer.1);
        if exit == 1 {
            assert!(answer.1.contains("33.33 %"), "{}", answer.1);
        }
    }
}

#[test]
fn a_log_that_says_no_outcome_decides_nothing_about_failures() {
    let silent = log(|_| r#""response_time_ms":20"#.to_owned());
    let answer = check(&silent, &FEW_FAILURES);
    assert_eq!(answer.0, 3, "{}", answer.1);
    assert!(
        answer
            .1
            .contains("120 of 120 requests do not say whether they failed"),
        "{}",
        answer.1
    );
    // Response times and counts are judged all the same, and so is what no answer could change.
    let sound = [
        "--require",
        "p95 < 500ms",
        "--require",
        "requests == 120",
        "--require",
        "failures <= 120",
    ];
    assert_eq!(check(&silent, &sound).0, 0);
    let apdex = ["--require", "apdex(500ms) > 0.9"];
    assert_eq!(check(&silent, &apdex).0, 3);
    let windows = ["--require", "failure_ratio < 1% within 10s"];
    assert_eq!(check(&silent, &windows).0, 3);
}

#[test]
fn half_an_outcome_is_a_range() {
    let half = log(|i| {
        let status = if i.is_multiple_of(2) {
            r#","status":200"#
        } else {
            ""
        };
        format!(r#""response_time_ms":20{status}"#)
    });
    let answer = check(&half, &FEW_FAILURES);
    assert_eq!(answer.0, 3);
    assert!(answer.1.contains("50 %"), "{}", answer.1);
    // At most half failed, whatever the others say.
    assert_eq!(check(&half, &["--require", "failure_ratio <= 50%"]).0, 0);
    // More than half of them would have to be known to have failed.
    assert_eq!(check(&half, &["--require", "failure_ratio > 50%"]).0, 1);
}

#[test]
fn a_log_that_writes_errors_alone_writes_them_on_failures() {
    let errors = |every: usize| {
        log(|i| {
            let error = if i.is_multiple_of(every) {
                r#","error":"boom""#
            } else {
                ""
            };
            format!(r#""response_time_ms":20{error}"#)
        })
    };
    let answer = check(&errors(3), &FEW_FAILURES);
    assert_eq!(answer.0, 1, "{}", answer.1);
    let few = check(&errors(120), &FEW_FAILURES);
    assert_eq!(few.0, 0, "{}", few.1);
    assert!(few.1.contains("only for requests that failed"), "{}", few.1);
}

#[test]
fn a_client_error_that_the_log_calls_none_is_the_scripts_word_only_where_it_has_one() {
    // The load script wanted every third 404, and rejected the others.
    let scripted = log(|i| {
        let error = third(i, "null", r#""gone""#);
        format!(r#""response_time_ms":20,"status":404,"error":{error}"#)
    });
    let answer = check(&scripted, &["--require", "failures == 80"]);
    assert_eq!(answer.0, 0, "{}", answer.1);
    // Nobody ever wrote an error: the status says one thing, and the error another.
    let generic = log(|i| {
        let status = third(i, "404", "200");
        format!(r#""response_time_ms":20,"status":{status},"error":null"#)
    });
    assert_eq!(check(&generic, &FEW_FAILURES).0, 3);
    // Of a 5xx nobody can have wanted it.
    let broken = generic.replace("404", "503");
    assert_eq!(check(&broken, &FEW_FAILURES).0, 1);
}

#[test]
fn a_mapping_that_no_line_has_is_an_error() {
    let log = log(|_| r#""response_time_ms":20,"code":500"#.to_owned());
    let args = ["--map", "status=cod", "--require", "failure_ratio < 1%"];
    let answer = check(&log, &args);
    assert_eq!(answer.0, 2);
    assert!(
        answer.1.contains("no line has the key `cod`"),
        "{}",
        answer.1
    );
    let args = ["--map", "status=code", "--require", "failure_ratio < 1%"];
    assert_eq!(check(&log, &args).0, 1);
}

#[test]
fn units_are_stated_or_not_judged() {
    let p95 = ["--require", "p95 < 500ms"];
    // Key and value, exit code, what is said.
    for (time, exit, said) in [
        (r#""latency":0.4"#, 3, "`latency` is not known"),
        (r#""duration":0.4"#, 3, "--map response_time=duration:"),
        (r#""took":12"#, 3, "`took`"),
        (r#""latency":400"#, 0, "`latency` does not"),
        (r#""duration":400000000"#, 3, "response_time=duration:ns"),
        (r#""latency":4000000"#, 3, "response_time=latency:us"),
        (r#""response_time":0.4"#, 3, "`response_time`"),
        (r#""responseTime":400"#, 0, ""),
        (r#""elapsed":0.4"#, 3, "`elapsed`"),
        (r#""elapsed":400"#, 0, ""),
        (r#""duration_s":0.6"#, 1, "600 ms"),
        (r#""latencySeconds":0.6"#, 1, "600 ms"),
        (r#""elapsedMs":600"#, 1, "600 ms"),
        (r#""request_time":"0.600""#, 1, "600 ms"),
        (r#""duration":"0.6s""#, 1, "600 ms"),
        (r#""duration":"600ms""#, 1, "600 ms"),
        (r#""latency":"PT0.6S""#, 1, "600 ms"),
        (r#""latency":"00:00:00.6""#, 1, "600 ms"),
        (r#""latency":"600000\u00b5s""#, 1, "600 ms"),
        (r#""duration":"fast""#, 2, "expected a response time"),
        (r#""duration_ms":400000000"#, 2, "more likely ns"),
    ] {
        let answer = check(&log(|_| format!(r#"{time},"status":200"#)), &p95);
        assert_eq!(answer.0, exit, "{time}\n{}", answer.1);
        assert!(answer.1.contains(said), "{time}\n{}", answer.1);
    }
}

#[test]
fn a_unit_that_is_said_is_taken() {
    let log = log(|_| r#""latency":0.6,"status":200"#.to_owned());
    let seconds = [
        "--map",
        "response_time=latency:s",
        "--require",
        "p95 < 500ms",
    ];
    assert_eq!(check(&log, &seconds).0, 1);
    let milliseconds = [
        "--map",
        "response_time=latency:ms",
        "--require",
        "p95 < 500ms",
    ];
    assert_eq!(check(&log, &milliseconds).0, 0);
    // Failures do not rest on the unit.
    assert_eq!(check(&log, &FEW_FAILURES).0, 0);
    assert_eq!(check(&log, &["--require", "rps > 1"]).0, 3);
}

#[test]
fn users_tell_that_it_cannot_be_seconds() {
    // As seconds, at five a second, twenty at once.
    let log = |users: &str| log(|_| format!(r#""latency":4,"status":200{users}"#));
    let p95 = ["--require", "p95 < 500ms"];
    assert_eq!(check(&log(""), &p95).0, 3);
    assert_eq!(check(&log(r#","users":5"#), &p95).0, 0);
}

#[test]
fn a_log_that_is_short_or_without_time_stamps_tells_no_unit() {
    let p95 = ["--require", "p95 < 500ms"];
    let timeless = |key: &str, value: f64| {
        let line = format!(r#"{{"name":"/a","{key}":{value},"status":200}}"#);
        format!("{line}\n").repeat(100)
    };
    assert_eq!(check(&timeless("latency", 400.0), &p95).0, 3);
    assert_eq!(check(&timeless("response_time", 0.4), &p95).0, 3);
    assert_eq!(check(&timeless("response_time", 4.0), &p95).0, 0);
    // All start within two seconds and take three of them, or three milliseconds.
    let mut burst = String::new();
    for i in 0..100 {
        let at = 1_790_000_000.0 + f64::from(i) * 0.02;
        writeln!(
            burst,
            r#"{{"ts":{at:.2},"name":"/a","latency":3,"status":200}}"#
        )
        .expect("a string takes all");
    }
    assert_eq!(check(&burst, &p95).0, 3);
}

#[test]
fn access_logs_are_known_by_their_keys() {
    for (line, p95) in [
        (
            r#"{"level":"info","ts":AT,"logger":"http.log.access","request":{"method":"GET","uri":"/a?q=1"},"duration":0.6,"size":1,"status":200}"#,
            "600 ms",
        ),
        (
            r#"{"StartUTC":"WHEN","Duration":600000000,"DownstreamStatus":200,"RequestMethod":"GET","RequestPath":"/a"}"#,
            "600 ms",
        ),
        (
            r#"{"time_iso8601":"WHEN","request_method":"GET","uri":"/a","request_time":"0.600","status":"200"}"#,
            "600 ms",
        ),
        (
            r#"{"start_time":"WHEN","method":"GET","path":"/a","response_code":200,"response_flags":"-","duration":600}"#,
            "600 ms",
        ),
        (
            r#"{"@timestamp":"WHEN","ecs.version":"8.0","event.duration":600000000,"event.outcome":"success","url.path":"/a"}"#,
            "600 ms",
        ),
        (
            r#"{"startTimeUnixNano":"AT000000000","endTimeUnixNano":"AT600000000","name":"/a","status":{"code":1},"attributes":[{"key":"http.response.status_code","value":{"intValue":"200"}}]}"#,
            "600 ms",
        ),
        (
            r#"{"level":30,"time":AT,"req":{"method":"GET","url":"/a"},"res":{"statusCode":200},"responseTime":600}"#,
            "600 ms",
        ),
        (
            r#"{"@t":"WHEN","Elapsed":600.0,"StatusCode":200,"RequestMethod":"GET","RequestPath":"/a"}"#,
            "600 ms",
        ),
        (
            r#"{"level":"info","ts":AT,"msg":"/a","latency":0.6,"status":200,"method":"GET","path":"/a"}"#,
            "600 ms",
        ),
        (
            r#"{"attack":"x","seq":1,"code":200,"timestamp":"WHEN","latency":600000000,"method":"GET","url":"/a","error":""}"#,
            "600 ms",
        ),
        (
            r#"{"timestamp":"WHEN","timeTaken":"PT0.6S","request":{"method":"GET","uri":"/a"},"response":{"status":200}}"#,
            "600 ms",
        ),
    ] {
        let mut text = String::new();
        for i in 0..60 {
            let when = format!("2026-09-21T14:13:{i:02}Z");
            let at = (1_790_000_000 + i).to_string();
            writeln!(text, "{}", line.replace("AT", &at).replace("WHEN", &when))
                .expect("a string takes all");
        }
        let gates = [
            "--require",
            "p95 < 500ms",
            "--require",
            "failure_ratio < 1%",
        ];
        let answer = check(&text, &gates);
        assert_eq!(answer.0, 1, "{line}\n{}", answer.1);
        assert!(answer.1.contains(p95), "{line}\n{}", answer.1);
        assert_eq!(check(&text, &FEW_FAILURES).0, 0, "{line}");
    }
}

#[test]
fn the_time_stamp_of_an_end_becomes_a_start() {
    // Ten requests that end within one second, each a second long or two: they started within two seconds.
    let mut log = String::new();
    for i in 0..10 {
        let (at, took) = (10 + i % 2, 1 + i % 2);
        writeln!(
            log,
            r#"{{"finished_at":"2026-01-01T00:00:{at}Z","name":"/a","duration_s":{took},"status":200}}"#
        )
        .expect("a string takes all");
    }
    // 10 - 1 = 9 and 11 - 2 = 9: all at once, for two seconds.
    let answer = check(
        &log,
        &["--require", "peak_rps == 10", "--require", "duration == 2s"],
    );
    assert_eq!(answer.0, 0, "{}", answer.1);
}

#[test]
fn a_request_without_a_response_time_counts_and_takes_no_time() {
    let log = log(|i| {
        let time = third(i, "100", "null");
        format!(
            r#""response_time_ms":{time},"status":{}"#,
            third(i, "200", "500")
        )
    });
    let gates = [
        "requests == 120",
        "failures == 80",
        "p50 == 100ms",
        "mean == 100ms",
        "min == 100ms",
        "stddev == 0ms",
        "failures == 80",
        "peak(10s) == 50",
    ];
    let args: Vec<&str> = gates.iter().flat_map(|gate| ["--require", gate]).collect();
    let answer = check(&log, &args);
    assert_eq!(answer.0, 0, "{}", answer.1);
    assert!(
        answer.1.contains("80 requests without a response time"),
        "{}",
        answer.1
    );
    // Only 40 times are known: not enough for a p99.
    assert_eq!(check(&log, &["--require", "p99 < 1s"]).0, 3);
    let none = log.replace(":100,", ":\"N/A\",");
    assert_eq!(check(&none, &["--require", "p50 < 60ms"]).0, 3);
}

#[test]
fn a_gate_file_may_say_that_what_is_not_said_succeeded() {
    let dir = tempfile::tempdir().unwrap();
    let gates = |unstated: &str| {
        let text = format!("{unstated}\n[[gate]]\nid = \"F\"\nrequire = \"failure_ratio < 1%\"\n");
        file(&dir, "gates.toml", text.as_bytes())
    };
    let silent = log(|_| r#""response_time_ms":20"#.to_owned());
    let answer = check(
        &silent,
        &["--config", &gates("[failures]\nunstated = \"success\"")],
    );
    assert_eq!(answer.0, 0, "{}", answer.1);
    assert!(
        answer
            .1
            .contains("120 requests do not say whether they failed and"),
        "{}",
        answer.1
    );
    assert_eq!(check(&silent, &["--config", &gates("")]).0, 3);
}
