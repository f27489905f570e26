//! Synthetic runs from outside: same seed, same bytes; what is written agrees with itself; nothing is overwritten.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::harness::{loadgate, report};

const SCENARIOS: [&str; 4] = [
    "worker-batches",
    "agent-studio",
    "claims-api",
    "rag-queries",
];

/// Generates into `out/NAME` and gives that folder's path.
fn generate(out: &tempfile::TempDir, name: &str, args: &[&str]) -> String {
    let folder = out.path().join(name).to_str().unwrap().to_owned();
    let mut all = vec!["generate", "--out", &folder];
    all.extend(args);
    let run = loadgate(&all);
    assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
    assert!(run.stderr.is_empty(), "progress in a pipe: {}", run.stderr);
    folder
}

/// Every file of a folder.
fn files(folder: impl AsRef<Path>) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

/// 64-bit FNV-1a: enough to notice one changed bit, and needs no crate.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn the_log_and_locusts_files_agree() {
    let out = tempfile::tempdir().unwrap();
    for name in SCENARIOS {
        let folder = generate(&out, name, &["--scenario", name, "--seed", "7"]);
        assert_eq!(files(&folder).len(), 6, "{name}");
        let (json, code) = report(&[&folder]);
        assert_eq!(code, 0);
        let notes: Vec<&str> = json["notes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_str().unwrap())
            .collect();
        assert!(
            matches!(notes[..], [note] if note.starts_with("request log and Locust's tables agree")),
            "{name}: {notes:#?}"
        );
    }
}

/// Each file alone tells of as many requests and failures.
#[test]
fn every_file_tells_the_same_counts() {
    let out = tempfile::tempdir().unwrap();
    let folder = generate(&out, "run", &["--scenario", "claims-api", "--seed", "3"]);
    let total = |file: &str| {
        let (json, _) = report(&[&format!("{folder}/{file}")]);
        (
            json["total"]["requests"].clone(),
            json["total"]["failures"].clone(),
        )
    };
    let log = total("requests.jsonl");
    assert!(log.0.as_u64() > Some(300), "{log:?}");
    for file in ["run_stats.csv", "run_stats_history.csv", "run.json"] {
        assert_eq!(total(file), log, "{file}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let out = tempfile::tempdir().unwrap();
    let args = ["--scenario", "claims-api", "--seed"];
    let with = |name, seed| files(generate(&out, name, &[&args[..], &[seed]].concat()));
    let (first, again, other) = (with("a", "1"), with("b", "1"), with("c", "2"));
    assert_eq!(first, again);
    assert_ne!(first["requests.jsonl"], other["requests.jsonl"]);
    // On every machine and for ever: a change here is a breaking change.
    let prints: Vec<u64> = first.values().map(|bytes| fingerprint(bytes)).collect();
    assert_eq!(prints, PINNED);
}

/// `requests.jsonl`, `run.json`, and the tables in the order of their names.
const PINNED: [u64; 6] = [
    486_476_576_113_296_065,
    2_695_625_312_454_487_231,
    15_655_901_786_036_469_539,
    14_482_901_200_160_814_179,
    13_750_973_441_654_146_279,
    4_350_267_471_743_031_801,
];

/// What is written does not depend on what else is.
#[test]
fn each_kind_of_file_can_be_written_alone() {
    let out = tempfile::tempdir().unwrap();
    let args = ["--scenario", "claims-api", "--seed", "1"];
    let all = files(generate(&out, "all", &args));
    let mut parts = BTreeMap::new();
    for kind in ["log", "locust-csv", "locust-json"] {
        let more = [&args[..], &["--write", kind]].concat();
        parts.extend(files(generate(&out, kind, &more)));
    }
    assert_eq!(all, parts);
}

#[test]
fn a_bad_scenario_is_told_all_at_once() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("run");
    let file = "testdata/broken/bad_scenario.toml";
    let run = loadgate(&[
        "generate",
        "--scenario",
        file,
        "--out",
        folder.to_str().unwrap(),
    ]);
    assert_eq!(run.code, 2);
    assert!(!folder.exists(), "a refused scenario left a folder");
    let places: Vec<&str> = run
        .stderr
        .lines()
        .filter_map(|l| l.trim().strip_prefix(&format!("--> {file}:")))
        .collect();
    assert_eq!(places, BAD, "{}", run.stderr);
    for words in [
        "`p95` is below the `median`",
        "the shortest wait is longer than the longest",
        "there are two endpoints `GET /a`",
        "`ratio` is a number from 0 to 1",
        "the failure ratios sum to 1.2, above 1",
        "unknown key `ramp`",
        "`weight` is a number from 0 to",
        "`name` is missing",
        "^",
        "= help: ",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
}

/// Line and column of every mistake in the bad scenario.
const BAD: [&str; 16] = [
    "4:9", "6:12", "7:8", "8:1", "12:10", "14:7", "17:8", "18:10", "20:37", "27:12", "28:19",
    "28:29", "28:52", "30:1", "30:1", "33:1",
];

#[test]
fn a_scenario_needs_an_endpoint_that_is_ever_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[load]\nusers = 1\nspawn-rate = 1\nduration = \"1s\"\nwait = [\"0s\", \"1s\"]\n\
        [[endpoint]]\nname = \"/a\"\nweight = 0\nmedian = \"1ms\"\np95 = \"2ms\"\n";
    let file = crate::harness::file(&dir, "zero.toml", text.as_bytes());
    let run = loadgate(&["generate", "--scenario", &file, "--out", "no/where"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("every `weight` is zero"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("zero.toml:8:10"), "{}", run.stderr);
}

#[test]
fn wrong_flags_are_told_with_the_remedy() {
    for (args, words) in [
        (
            &["--scenario", "claim-api"][..],
            "did you mean `claims-api`?",
        ),
        (&["--scenario", "claims-api", "--start", "soon"], "--start"),
        (
            &["--scenario", "claims-api", "--duration", "long"],
            "--duration",
        ),
        (
            &["--scenario", "claims-api", "--leak", "1MB/h"],
            "does not sample memory",
        ),
        (
            &["--scenario", "claims-api", "--degrade", "nobody:latency*2"],
            "the scenario has `GET /claims/[id] detail`",
        ),
        (
            &["--scenario", "claims-api", "--set", "*:rows=1"],
            "no measured fields",
        ),
        (&["--scenario", "claims-api", "--users", "0"], "--users"),
        (
            &["--scenario", "claims-api", "--spawn-rate", "0"],
            "--spawn-rate",
        ),
        (&["--seed", "1"], "--scenario"),
    ] {
        let run = loadgate(&[&["generate", "--out", "no/where"], args].concat());
        assert_eq!(run.code, 2, "{args:?}");
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
    }
    assert!(!Path::new(env!("CARGO_MANIFEST_DIR")).join("no").exists());
}

#[test]
fn other_files_in_the_folder_survive() {
    let out = tempfile::tempdir().unwrap();
    let args = ["--scenario", "claims-api", "--seed", "1"];
    let folder = generate(&out, "run", &args);
    let before = files(&folder);
    std::fs::write(format!("{folder}/notes.txt"), "mine").unwrap();
    std::fs::write(format!("{folder}/run_stats.csv"), "mine too").unwrap();

    let again = [&["generate", "--out", &folder][..], &args].concat();
    let refused = loadgate(&again);
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert_eq!(
        refused.stderr.matches("the file is there already").count(),
        6
    );
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(
        std::fs::read(format!("{folder}/run_stats.csv")).unwrap(),
        b"mine too"
    );

    let forced = loadgate(&[&again[..], &["--force"]].concat());
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    let mut after = files(&folder);
    assert_eq!(after.remove("notes.txt"), Some(b"mine".to_vec()));
    assert_eq!(after, before, "and nothing temporary is left");
}

/// The promises of the scenarios, over several seeds.
#[test]
fn healthy_scenarios_keep_their_promises() {
    let promises: [(&str, &[&str]); 4] = [
        (
            "worker-batches",
            &[
                "p95 < 1s",
                "p99 < 2s",
                "p95 < 1s on FINALIZAR*",
                "p99 < 2s on FINALIZAR*",
                "max(api_calls) <= 2 on FINALIZAR*",
                "max(rows) <= 900",
                "ratio(status=5xx) < 0.5%",
            ],
        ),
        ("agent-studio", &["p95 < 200ms", "failure_ratio < 1%"]),
        (
            "claims-api",
            &[
                "p95 <= 500ms",
                "p95 <= 200ms on *detail*",
                "failure_ratio <= 5%",
                "requests >= 20 on *",
            ],
        ),
        (
            "rag-queries",
            &[
                "p50 < 1s",
                "p95 < 2s",
                "p99 < 3s",
                "failure_ratio < 1%",
                "rps > 50",
            ],
        ),
    ];
    let out = tempfile::tempdir().unwrap();
    for (name, rules) in promises {
        for seed in ["1", "2", "3", "4", "5"] {
            let folder = generate(
                &out,
                &format!("{name}-{seed}"),
                &["--scenario", name, "--seed", seed, "--write", "log"],
            );
            let mut args = vec![folder.as_str()];
            args.extend(rules.iter().flat_map(|rule| ["--require", rule]));
            let (json, _) = report(&args);
            for gate in json["gates"].as_array().unwrap() {
                assert_ne!(gate["verdict"], "fail", "{name}, seed {seed}: {gate:#}");
            }
            if name == "worker-batches" {
                assert_writes_stay_under_the_quota(&folder, seed);
            }
        }
    }
}

/// Fewer than 30 writes in any 60 s, at most 20 in any 10 s, by adding up the log's lines.
fn assert_writes_stay_under_the_quota(folder: &str, seed: &str) {
    let writes = writes(folder);
    let most = |window_ms: i64| {
        let sums = writes.iter().map(|(from, _)| {
            let inside = writes
                .iter()
                .filter(|(at, _)| (*from..from + window_ms).contains(at));
            inside.map(|(_, n)| n).sum::<u64>()
        });
        sums.max().unwrap()
    };
    let (minute, ten) = (most(60_000), most(10_000));
    assert!((5..=27).contains(&minute), "seed {seed}: {minute} in 60 s");
    assert!(ten <= 20, "seed {seed}: {ten} in 10 s");
}

/// Start in epoch milliseconds and `api_writes` of every request that has some.
fn writes(folder: &str) -> Vec<(i64, u64)> {
    let log = std::fs::read_to_string(format!("{folder}/requests.jsonl")).unwrap();
    log.lines()
        .filter_map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let at: jiff::Timestamp = line["timestamp"].as_str()?.parse().unwrap();
            Some((
                at.as_millisecond(),
                line["api_writes"].as_u64().filter(|n| *n > 0)?,
            ))
        })
        .collect()
}

/// Each change breaks the one promise it is meant to break.
#[test]
fn a_change_violates_exactly_one_promise() {
    let rules = [
        "p95 < 1s",
        "max(api_calls) <= 2 on FINALIZAR*",
        "max(rows) <= 900",
        "ratio(status=5xx) < 0.5%",
        "ratio(status=403) < 1%",
    ];
    let changes = [
        &["--degrade", "FINALIZAR*:latency*6"][..],
        &["--set", "FINALIZAR ARM 10:api_calls=3"],
        &["--set", "QUERY METADATA:rows=100..1000"],
        &["--set", "*:503=0.03"],
        &["--degrade", "INICIAR:failures*20"],
    ];
    let out = tempfile::tempdir().unwrap();
    for (broken, change) in changes.iter().enumerate() {
        let args = [
            "--scenario",
            "worker-batches",
            "--seed",
            "1",
            "--write",
            "log",
        ];
        let folder = generate(&out, &broken.to_string(), &[&args, *change].concat());
        for (i, rule) in rules.iter().enumerate() {
            let (json, _) = report(&[&folder, "--require", rule]);
            let failed = json["outcome"]["verdict"] == "fail";
            assert_eq!(failed, i == broken, "{change:?}: {rule}: {}", json["gates"]);
        }
    }
}

#[test]
fn bursts_and_leaks_are_in_the_log() {
    let out = tempfile::tempdir().unwrap();
    let args = [
        "--scenario",
        "worker-batches",
        "--seed",
        "1",
        "--write",
        "log",
    ];
    let more = [
        "--burst",
        "FINALIZAR ARM 10:30@60s",
        "--leak",
        "600MB/h",
        "--set",
        "FINALIZAR ARM 10:api_writes=1",
    ];
    let folder = generate(&out, "run", &[args, more].concat());
    let log = std::fs::read_to_string(format!("{folder}/requests.jsonl")).unwrap();
    assert!(log.matches("\"timestamp\":\"2026-01-01T00:01:00.000000Z\",\"method\":\"POST\",\"name\":\"FINALIZAR ARM 10\"").count() >= 30);
    let memory: Vec<f64> = log
        .lines()
        .filter_map(|l| serde_json::from_str::<Value>(l).unwrap()["memory_mb"].as_f64())
        .collect();
    // One sample every 5 s from 0 to 300 s; 600 MB/h are 50 MB in 5 min.
    assert_eq!(memory.len(), 61);
    let growth = memory[60] - memory[0];
    assert!((40.0..60.0).contains(&growth), "{growth}");
}

#[test]
fn the_list_names_every_scenario() {
    let run = loadgate(&["generate", "--list"]);
    assert_eq!(run.code, 0);
    let names: Vec<&str> = run
        .stdout
        .lines()
        .map(|l| l.split(' ').next().unwrap())
        .collect();
    assert_eq!(names, SCENARIOS);
}
