//! Every error code: an example of what causes it, and what to do.

use std::fmt::Write as _;

use crate::diagnostic::CODES;

/// Code, example, remedy; in the order of [`CODES`].
pub const REMEDIES: &[(&str, &str, &str)] = &[
    (
        "missing-input",
        "loadgate check reslts/",
        "Name a file or folder that is there, or what was given to Locust as `--csv`.",
    ),
    (
        "nothing-recognised",
        "loadgate check docs/",
        "Name the folder that the load test wrote into. `loadgate init` writes a request logger for Locust.",
    ),
    (
        "unknown-format",
        "loadgate check photo.png",
        "Name a Locust CSV or JSON file or a request log; `--format` says what a file is when it cannot be told.",
    ),
    (
        "empty-input",
        "loadgate check run_stats.csv   # 0 bytes",
        "The load test ended before it wrote a header: look at its own output.",
    ),
    (
        "bad-line",
        "{\"name\": \"/a\", \"response_time_ms\": \"fast\"}",
        "Mend the line, name the right key with `--map FIELD=KEY:UNIT`, or go on without such lines with `--allow-bad-lines N`: their number then stands in every report.",
    ),
    (
        "bad-header",
        "a stats table without `Request Count`",
        "The file is no table of Locust's, or was cut: write it anew, or leave it out.",
    ),
    (
        "corrupt-archive",
        "a `.gz` that was not copied to its end",
        "Copy or compress the file again.",
    ),
    (
        "config-syntax",
        "id = PERF-01",
        "Gate files are TOML: texts stand in quotes, `id = \"PERF-01\"`.",
    ),
    (
        "unknown-key",
        "requires = \"p95 < 1s\"",
        "Write a key that is known: the message names the nearest. An unknown key would be a limit that nobody watches.",
    ),
    (
        "missing-key",
        "[[gate]] without `id`",
        "Add the key that the message names.",
    ),
    (
        "bad-value",
        "level = \"warning\"",
        "Write a value of the kind that the message names.",
    ),
    (
        "duplicate-id",
        "two gates `p95`",
        "Give each gate an id of its own: reports and history know gates by their ids.",
    ),
    (
        "unknown-scenario",
        "loadgate generate --scenario worker-batch",
        "`loadgate generate --list` names those that ship; a scenario of your own is named by its path.",
    ),
    (
        "unknown-endpoint",
        "--degrade 'POST /nowhere:latency*2'",
        "Name an endpoint of the scenario; `*` matches any text.",
    ),
    (
        "bad-expression",
        "require = \"p95 500ms\"",
        "Write `METRIC CMP LIMIT`, as `p95 < 500ms`; CMP is one of < <= > >= ==.",
    ),
    (
        "unknown-metric",
        "require = \"p95th < 500ms\"",
        "`loadgate metrics` lists every metric; percentiles are written `p95`, `p99.9`.",
    ),
    (
        "bad-unit",
        "require = \"p95 < 500\"",
        "Write the limit with a unit of its metric: `500ms`, `1%`, `50MB`.",
    ),
    (
        "bad-selector",
        "on = \"/(unclosed/\"",
        "Write a glob, as `GET /users*`, or a regular expression between slashes.",
    ),
    (
        "unknown-change",
        "loadgate trend history.jsonl --ack 00000000",
        "`loadgate trend` lists the changes that can be acknowledged, with their ids.",
    ),
    (
        "no-comparable-run",
        "loadgate check run/ --baseline history.jsonl --label machine=new",
        "Runs are compared with those of the same machine, scenario and number of users; `--label machine=…` and \
         `--label scenario=…` name them.",
    ),
    (
        "newer-history",
        "a history with `\"schema\": \"loadgate.history/9\"`",
        "Update loadgate: an older one would misread what it does not know.",
    ),
    (
        "no-thresholds",
        "loadgate migrate k6 helpers.js",
        "Name the file that holds `options.thresholds`, `criteria` or `ensure`.",
    ),
    (
        "unknown-topic",
        "loadgate explain p95th",
        "Name a gate of the gate file, a metric (`loadgate metrics`) or an error code (`loadgate explain codes`).",
    ),
    (
        "output-not-writable",
        "loadgate check results/ --html /proc/report.html",
        "Name a place that can be written; files that are there are overwritten only with `--force`, where a command has it.",
    ),
    (
        "output-is-input",
        "loadgate check run.jsonl --json run.jsonl",
        "Name another file for the output. Links are followed: two names can be one file.",
    ),
    (
        "write-failed",
        "loadgate check results/ --html /dev/full",
        "Free some space, or name another place. What was there before is still there, or holds this problem instead of a report.",
    ),
    (
        "not-recorded",
        "loadgate check results/ --record notes.txt",
        "Name a history that `--record` made, or a file that is not there yet, in a folder that can be written.",
    ),
    (
        "usage",
        "loadgate check --jnuit junit.xml",
        "`loadgate help` lists the commands, `loadgate check --help` the flags of one.",
    ),
    (
        "internal",
        "a report that cannot be rendered",
        "This is a fault of loadgate: please report it, with the input if you can.",
    ),
];

/// A page on an error code.
pub fn page(code: &str) -> Option<String> {
    let (_, meaning) = CODES.iter().find(|(known, _)| *known == code)?;
    let mut page = format!("error[{code}]: {meaning}\n");
    if let Some((_, example, remedy)) = REMEDIES.iter().find(|(known, ..)| *known == code) {
        let _ = write!(page, "\n  example  {example}\n\n{remedy}\n");
    }
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_remedy() {
        for (code, _) in CODES {
            assert!(
                REMEDIES.iter().any(|(known, ..)| known == code),
                "no remedy for `{code}`"
            );
        }
        for (code, ..) in REMEDIES {
            assert!(
                CODES.iter().any(|(known, _)| known == code),
                "`{code}` is no code"
            );
        }
    }
}
