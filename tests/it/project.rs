//! `init`, `migrate`, `explain`, `man`, `completions`, and what an interruption leaves behind.

use std::path::Path;

use crate::harness::{loadgate, loadgate_in, root, ten_lines};

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A limit that is proposed from a run must let that run pass: every kind of source, hostile names, cut files.
#[test]
fn proposed_gates_pass_on_their_own_run() {
    let mut seen = 0;
    for version in ["0.14.6", "1.6.0", "2.20.1", "2.32.10", "2.47.0"] {
        for run in std::fs::read_dir(root("testdata/locust").join(version)).unwrap() {
            let run = run.unwrap().path();
            let run = run.to_str().unwrap();
            let tables = format!("{run}/run_stats.csv");
            for source in [run, &tables] {
                if !Path::new(source).exists() {
                    continue;
                }
                let dir = tempfile::tempdir().unwrap();
                let init = loadgate_in(dir.path(), &["init", source], b"");
                assert_eq!(init.code, 0, "{source}: {}", init.stderr);
                let check = loadgate_in(dir.path(), &["check", source, "--quiet"], b"");
                let expected = if source.contains("/empty") { 3 } else { 0 };
                assert_eq!(
                    check.code,
                    expected,
                    "{source}: {}{}\n{}",
                    check.stdout,
                    check.stderr,
                    read(dir.path().join("loadgate.toml"))
                );
                seen += 1;
            }
        }
    }
    assert!(seen >= 15, "only {seen} sources");
}

#[test]
fn a_proposal_says_how_little_it_knows() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("results")).unwrap();
    std::fs::write(dir.path().join("results/r.jsonl"), ten_lines()).unwrap();
    let init = loadgate_in(dir.path(), &["init"], b"");
    assert!(
        init.stdout
            .starts_with("limits proposed from the run in results\n"),
        "{}",
        init.stdout
    );
    let gates = read(dir.path().join("loadgate.toml"));
    assert!(
        gates.contains("# No p95: 10 requests, and it takes 20 for one to mean anything."),
        "{gates}"
    );
    assert!(!gates.contains("\"p95 <="), "{gates}");
    // 0 of 10 failed: up to 28 % could have by chance (Wilson), and the limit says no less.
    assert!(gates.contains("failure_ratio <= 30%"), "{gates}");
}

/// What is proposed about earlier runs is a gate file when the `#` is taken away, and its command starts a history.
#[test]
fn the_proposed_comparison_works_as_written() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..5 {
        let start = format!("2026-01-0{}T00:00:00Z", n + 1);
        let (seed, out) = (n.to_string(), format!("results{n}"));
        let args = [
            "generate",
            "--scenario",
            "rag-queries",
            "--requests",
            "3000",
            "--seed",
            &seed,
        ];
        let more = ["--start", &start, "--out", &out, "--write", "log"];
        assert_eq!(
            loadgate_in(dir.path(), &[&args[..], &more].concat(), b"").code,
            0
        );
    }
    for args in [&["init", "results0"][..], &["init", "--force"]] {
        let init = loadgate_in(dir.path(), args, b"");
        assert_eq!(init.code, 0, "{}", init.stderr);
        let gates = read(dir.path().join("loadgate.toml"));
        let (before, section) = gates.split_once("# [regression]\n").expect("proposed");
        let section = section.replace("# metrics", "metrics");
        std::fs::write(
            dir.path().join("r.toml"),
            format!("[regression]\n{section}"),
        )
        .unwrap();
        let command = before
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("#   loadgate "));
        let command = command.expect("a command").replace("results/", "RUN");
        let _ = std::fs::remove_file(dir.path().join("history.jsonl"));
        for n in 0..5 {
            let line = command.replace("RUN", &format!("results{n}"));
            let args = line.split(' ').chain(["--config", "r.toml", "--quiet"]);
            let run = loadgate_in(dir.path(), &args.collect::<Vec<_>>(), b"");
            if n < 3 {
                assert_eq!(run.code, 0, "run {n}: {}{}", run.stdout, run.stderr);
            }
            assert!(
                [0, 3].contains(&run.code),
                "run {n}: {}{}",
                run.stdout,
                run.stderr
            );
        }
    }
}

#[test]
fn nothing_of_the_users_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("loadgate.toml"), "mine").unwrap();
    std::fs::create_dir(path(".github")).unwrap();
    let init = loadgate_in(dir.path(), &["init"], b"");
    assert_eq!(init.code, 0, "{}", init.stderr);
    assert_eq!(read(path("loadgate.toml")), "mine");
    assert!(
        init.stdout.contains("kept       loadgate.toml"),
        "{}",
        init.stdout
    );
    assert!(path("locust_request_log.py").exists());
    // The folder tells the CI system.
    assert!(path(".github/workflows/load-test.yml").exists());
    let again = loadgate_in(dir.path(), &["init", "--force"], b"");
    assert!(
        read(path("loadgate.toml")).starts_with("# Gates for loadgate"),
        "{}",
        again.stdout
    );
    assert!(
        again.stdout.contains("unchanged  locust_request_log.py"),
        "{}",
        again.stdout
    );
    std::fs::remove_file(path("loadgate.toml")).unwrap();
    std::fs::create_dir(path("loadgate.toml")).unwrap();
    let blocked = loadgate_in(dir.path(), &["init", "--force"], b"");
    assert_eq!(blocked.code, 2);
    assert!(
        blocked.stderr.contains("a folder is in the way"),
        "{}",
        blocked.stderr
    );
}

#[test]
fn what_init_writes_can_be_read() {
    use saphyr::LoadableYamlNode as _;
    for (system, file) in [
        ("github", ".github/workflows/load-test.yml"),
        ("gitlab", "loadgate.gitlab-ci.yml"),
        ("azure", "azure-pipelines.loadgate.yml"),
        ("jenkins", "Jenkinsfile.loadgate"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            loadgate_in(dir.path(), &["init", "--ci", system], b"").code,
            0
        );
        let text = read(dir.path().join(file));
        if system != "jenkins" {
            assert!(saphyr::Yaml::load_from_str(&text).is_ok(), "{file}");
        }
        // Each of them judges with the gates, keeps the reports, and lets loadgate judge the failures.
        for part in [
            "loadgate check results/ --out reports/",
            "--exit-code-on-error 0",
            "reports/",
        ] {
            assert!(text.contains(part), "{file} lacks `{part}`");
        }
        let gates = read(dir.path().join("loadgate.toml"));
        assert!(loadgate::config::parse(&gates, "loadgate.toml").is_ok());
    }
}

#[test]
fn a_run_that_cannot_be_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("bad.jsonl"),
        "{\"name\":\"/a\",\"response_time_ms\":1}\n{\"name\":\n{}\n",
    )
    .unwrap();
    let init = loadgate_in(dir.path(), &["init"], b"");
    assert_eq!(init.code, 0);
    assert!(init.stdout.contains("bad.jsonl:2"), "{}", init.stdout);
    let named = loadgate_in(dir.path(), &["init", "bad.jsonl", "--force"], b"");
    assert_eq!(named.code, 2);
}

#[test]
fn migrate_writes_once_and_only_gate_files() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("s.json"),
        r#"{"thresholds": {"http_req_duration": ["p(95)<500"]}}"#,
    )
    .unwrap();
    let args = ["migrate", "k6", "s.json", "--out", "loadgate.toml"];
    let first = loadgate_in(dir.path(), &args, b"");
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(read(dir.path().join("loadgate.toml")).contains("require = \"p95 < 500ms\""));
    let second = loadgate_in(dir.path(), &args, b"");
    assert_eq!(second.code, 2);
    assert!(
        second.stderr.contains("error[output-not-writable]"),
        "{}",
        second.stderr
    );
    for (tool, text, code) in [
        ("k6", "export default function () {}", "no-thresholds"),
        ("taurus", "a: [", "bad-line"),
        ("artillery", "config: {}", "no-thresholds"),
    ] {
        std::fs::write(dir.path().join("x"), text).unwrap();
        let run = loadgate_in(dir.path(), &["migrate", tool, "x"], b"");
        assert_eq!(run.code, 2);
        assert!(
            run.stderr.contains(&format!("error[{code}]")),
            "{}",
            run.stderr
        );
    }
    assert_eq!(
        loadgate_in(dir.path(), &["migrate", "k6", "nowhere.js"], b"").code,
        2
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    /// Whatever stands in the file: thresholds or a message, never a panic, and only gate files that can be read.
    #[test]
    fn any_thresholds_give_a_valid_gate_file(
        metric in "[ -~\\n]{0,12}",
        expression in "(p\\(95\\)|avg|rate|count|[a-z(]{0,4})[<>=]{0,3}[0-9.]{0,4}",
        junk in "[\\[\\]{}'\"`,:;/*$ \\na-c]{0,20}",
    ) {
        use loadgate::cli::project::Tool;
        use loadgate::migrate::{artillery, checked, gate_file, k6, taurus};
        let quoted = format!("{metric:?}");
        let script = format!("x = {{ thresholds: {{ {quoted}: ['{expression}', {junk} }} }}");
        let yaml = format!("criteria:\n- {quoted}\n- {expression}\nensure:\n  {quoted}: {expression}\n  conditions:\n  - expression: {junk}\n");
        let all = [
            (Tool::K6, k6::thresholds(&script)),
            (Tool::K6, k6::thresholds(&junk)),
            (Tool::Taurus, taurus::criteria(&yaml)),
            (Tool::Artillery, artillery::ensured(&yaml)),
        ];
        for (tool, found) in all {
            if let Ok(found) = found {
                let text = gate_file::render(tool, "file", &checked(found));
                if let Err(problems) = loadgate::config::parse(&text, "loadgate.toml") {
                    panic!("{}\n{text}", problems[0].long());
                }
            }
        }
    }
}

#[test]
fn explain_knows_gates_metrics_and_codes() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("loadgate.toml"),
        "[[gate]]\nid = \"p95\"\nrequire = \"p95 < 1s\"\n",
    )
    .unwrap();
    let explain = |topic: &str| loadgate_in(dir.path(), &["explain", topic], b"");
    // The user's gate goes before the metric of the same name.
    assert!(
        explain("p95")
            .stdout
            .starts_with("p95: a gate of loadgate.toml:2")
    );
    assert!(
        explain("p99")
            .stdout
            .starts_with("p99: p99 of the response times")
    );
    assert!(explain("bad-unit").stdout.starts_with("error[bad-unit]: "));
    let unknown = explain("p95th");
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.stderr.contains("did you mean `p95`?"),
        "{}",
        unknown.stderr
    );
    // A broken gate file is when its error's code is looked up.
    std::fs::write(
        dir.path().join("loadgate.toml"),
        "[[gate]]\nrequire = \"p95 < 1\"\n",
    )
    .unwrap();
    assert_eq!(explain("bad-unit").code, 0);
    assert_eq!(explain("p99").code, 2);
}

#[test]
fn every_command_has_a_page_and_examples() {
    for command in [
        "check",
        "generate",
        "init",
        "migrate",
        "explain",
        "completions",
        "man",
    ] {
        let help = loadgate(&[command, "--help"]).stdout;
        assert!(help.contains("Examples:"), "{command}");
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{command}"
        );
        let page = loadgate(&["man", command]).stdout;
        assert!(
            page.contains(&format!(".TH loadgate-{command} 1")),
            "{page}"
        );
    }
    assert!(loadgate(&["man"]).stdout.contains(".SH SYNOPSIS"));
    let wrong = loadgate(&["man", "chekc"]);
    assert!(
        wrong.code == 2 && wrong.stderr.contains("did you mean `check`?"),
        "{}",
        wrong.stderr
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = loadgate(&["completions", shell]).stdout;
        assert!(script.contains("openmetrics"), "{shell}");
        if shell != "powershell" && shell != "elvish" {
            assert!(
                script.contains("failure_ratio") && script.contains("worker-batches"),
                "{shell}"
            );
        }
    }
}

#[cfg(unix)]
mod interrupted {
    use std::io::Write as _;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    /// Whoever runs the tests may ignore signals, and programs inherit that: where `env` can, it gives them their defaults.
    fn program() -> Command {
        let program = env!("CARGO_BIN_EXE_loadgate");
        let defaults = "--default-signal=INT,TERM,HUP";
        let can = Command::new("env").args([defaults, "true"]).output();
        if can.is_ok_and(|output| output.status.success()) {
            let mut env = Command::new("env");
            env.args([defaults, program]);
            env
        } else {
            Command::new(program)
        }
    }

    /// A program that ends with its test, whatever becomes of that.
    struct Started(Child);

    impl Drop for Started {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn start(dir: &Path, args: &[&str]) -> Child {
        program()
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).into_iter().flatten();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn signal(child: &Child, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits until a condition holds; a minute is for machines that are busy.
    fn until(holds: impl Fn() -> bool) {
        let begin = Instant::now();
        while !holds() {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "it never came to that"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_half_written_run_is_taken_away() {
        for name in ["INT", "TERM", "HUP"] {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().join("out");
            // Far more than can be written before the signal comes.
            let args = [
                "generate",
                "--scenario",
                "agent-studio",
                "--seed",
                "1",
                "--requests",
                "20000000",
                "--out",
                "out",
            ];
            let mut child = Started(start(dir.path(), &args));
            until(|| names(&out).iter().any(|name| name.starts_with(".loadgate")));
            signal(&child.0, name);
            let status = child.0.wait().unwrap();
            assert_eq!(status.code(), Some(130), "{name}");
            assert_eq!(names(&out), Vec::<String>::new(), "{name}");
        }
    }

    /// `nohup` ignores the signal, and what it ignores stays ignored.
    #[test]
    fn a_signal_that_is_ignored_stays_so() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let program = env!("CARGO_BIN_EXE_loadgate");
        let generate =
            "generate --scenario agent-studio --seed 1 --requests 2000000 --write log --out out";
        let mut child = Command::new("sh")
            .args(["-c", &format!("trap '' HUP; exec '{program}' {generate}")])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until(|| names(&out).iter().any(|name| name.starts_with(".loadgate")));
        signal(&child, "HUP");
        assert!(child.wait().unwrap().success());
        assert_eq!(names(&out), ["requests.jsonl"]);
    }

    #[test]
    fn a_report_that_was_there_stays_whole() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("report.html"), "of yesterday").unwrap();
        let mut child = start(dir.path(), &["check", "-", "--html", "report.html"]);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(super::ten_lines().as_bytes()).unwrap();
        // It waits for the rest of its input, and may not yet have its handler: either ends it.
        std::thread::sleep(Duration::from_millis(300));
        signal(&child, "INT");
        assert!(!child.wait().unwrap().success());
        assert_eq!(names(dir.path()), ["report.html"]);
        assert_eq!(super::read(dir.path().join("report.html")), "of yesterday");
    }

    #[test]
    fn nothing_moves_in_a_pipe() {
        let dir = tempfile::tempdir().unwrap();
        let args = [
            "generate",
            "--scenario",
            "agent-studio",
            "--seed",
            "1",
            "--requests",
            "400000",
            "--write",
            "log",
            "--out",
            "out",
        ];
        let output = start(dir.path(), &args).wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        let output = start(dir.path(), &["check", "out"])
            .wait_with_output()
            .unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
    }
}
