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
        "not-a-run",
        "loadgate check history.jsonl",
        "Name the results of one run. A history or a `report.json` is for `--baseline` and `loadgate trend`; of another tool, name the file that has one record for each request.",
    ),
    (
        "several-runs",
        "loadgate check results/   # monday_stats.csv and tuesday_stats.csv",
        "Name one of the runs: its folder, its Locust prefix (`results/monday`) or its files. `loadgate compare` compares two runs.",
    ),
    (
        "changed-copy",
        "requests.jsonl beside a copy with some lines taken out",
        "Name the file that counts, or move the other one out of the folder.",
    ),
    (
        "input-used-twice",
        "zcat a.gz | loadgate check - /dev/stdin",
        "Save the stream to a file, and name that file.",
    ),
    (
        "special-file",
        "loadgate check /dev/zero",
        "Name a file; a run may also come from a pipe, from `<(…)` or from standard input.",
    ),
    (
        "beyond-limit",
        "a log in which every request has a name of its own",
        "The message says which limit, and [Limits](limits.md) lists them all. Ids in names are the usual cause: log the route as the name.",
    ),
    (
        "bad-line",
        "{\"name\": \"/a\", \"response_time_ms\": \"fast\"}",
        "Mend the line, name the right key with `--map FIELD=KEY:UNIT`, or go on without such lines with `--allow-bad-lines N`: their number then stands in every report.",
    ),
    (
        "unmapped-key",
        "--map status=cod   # the log says `code`",
        "Write the key as the log does, with dots for keys inside of others (`response.code`), or leave the mapping out.",
    ),
    (
        "impossible-time",
        "{\"duration\": 412000000} in a log of a minute",
        "Say the unit: `--map response_time=duration:ns`, or `[input.map]` `response_time = \"duration:ns\"`.",
    ),
    (
        "bad-header",
        "a stats table without `Request Count`",
        "The file is no table of Locust's, was cut, or names a column twice: write it anew, or leave it out.",
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
        "config-too-large",
        "loadgate check results/ --config results/requests.jsonl",
        "Name the gate file: results are given without `--config`.",
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
        "useless-limit",
        "require = \"failure_ratio < 150%\"",
        "Write a limit that some runs keep and others break: a ratio lies between 0 % and 100 %, a count or a time is never below 0.",
    ),
    (
        "no-effect",
        "floor = \"20ms\" beside `require = \"p95 < 1s\"`",
        "Leave the key out, or write what it is for: `floor` and `significant` belong to limits with `baseline`, `max-missing` to measured fields.",
    ),
    (
        "no-gates",
        "loadgate check results/ --config empty.toml",
        "Write at least one `[[gate]]`, as `loadgate init` proposes them, or add one by `--require 'p95 < 500ms'`; leave `--config` out to see the figures alone.",
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
        "loadgate compare history.jsonl run/ --label machine=new",
        "Runs are compared with those of the same `scenario`, `machine` and other labels, and of as many users. \
         `loadgate check --baseline history.jsonl` waits until there are such runs.",
    ),
    (
        "newer-history",
        "a history with `\"schema\": \"loadgate.history/9\"`",
        "Update loadgate: an older one would misread what it does not know.",
    ),
    (
        "impossible-figure",
        "a report with `\"failures\": 120` of `\"requests\": 100`",
        "Write it anew: `loadgate check RUN --json FILE` or `--record FILE`. Of a history `--allow-bad-lines 1` leaves the \
         line out.",
    ),
    (
        "bad-history",
        "loadgate check results/ --record notes.txt",
        "Name a history that `--record` made, or a new file in a folder that can be written.",
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
