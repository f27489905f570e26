//! What a file's name says: which Locust prefix it belongs to, and whether it looks like a result.
//!
//! Names never decide what a file is. They tell which files belong together, and which must not be passed over.

use std::path::Path;

/// Endings of the tables that belong to a Locust prefix.
pub const TABLES: [&str; 6] = [
    "_stats.csv",
    "_stats_history.csv",
    "_failures.csv",
    "_exceptions.csv",
    "_requests.csv",
    "_distribution.csv",
];
/// Endings of compressed files; only gzip and Zstandard can be read.
const COMPRESSED: [&str; 9] = [
    ".gz", ".zst", ".zstd", ".xz", ".bz2", ".lz4", ".zip", ".br", ".7z",
];
/// What a copy that was put aside ends in.
const ASIDE: [&str; 6] = [".bak", ".old", ".orig", ".copy", ".backup", "~"];
/// Endings of logs of many tools.
const LOGS: [&str; 3] = ["jsonl", "ndjson", "jtl"];
/// Endings of what is a request log if its name says so.
const NAMED_LOGS: [&str; 6] = ["log", "json", "csv", "txt", "tsv", "parquet"];

/// The file name without the marks of compression, rotation and copies: `run_stats (1).csv.gz` is `run_stats.csv`.
pub fn bare(name: &str) -> String {
    let file = Path::new(name).file_name().unwrap_or_default();
    let mut bare = file.to_string_lossy().into_owned();
    while let Some(shorter) = unmarked(&bare) {
        bare = shorter;
    }
    bare
}

/// A name with one mark less; `None` if it has none.
fn unmarked(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let marks = COMPRESSED.iter().chain(&ASIDE);
    let marked = |mark: &&&str| lower.ends_with(**mark) && lower.len() > mark.len();
    if let Some(mark) = marks.clone().find(marked) {
        return name.get(..name.len() - mark.len()).map(str::to_owned);
    }
    // Rotated: `requests.jsonl.1`, `requests.jsonl-20260131`.
    if let Some((before, number)) = name.rsplit_once(['.', '-'])
        && before.contains('.')
        && is_number(number)
    {
        return Some(before.to_owned());
    }
    // A second copy, as browsers and file managers name it: `run (1).csv`, `run copy 2.csv`, `run - Copy.csv`.
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let counted = stem
        .rsplit_once(' ')
        .filter(|(_, number)| is_number(number.trim_matches(['(', ')'])))
        .map_or(stem, |(before, _)| before);
    let lower = counted.to_ascii_lowercase();
    let copy = [" - copy", " copy"]
        .into_iter()
        .find(|m| lower.ends_with(m));
    let stem = match copy {
        Some(copy) => &counted[..counted.len() - copy.len()],
        None if counted != stem && stem.ends_with(')') => counted,
        None => return None,
    };
    let dot = if extension.is_empty() { "" } else { "." };
    Some(format!("{stem}{dot}{extension}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 8 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The Locust prefix that the name of a table tells, with its folder.
pub fn prefix(name: &str) -> Option<String> {
    let bare = bare(name);
    let lower = bare.to_ascii_lowercase();
    let len = TABLES.iter().find_map(|ending| {
        // `stats.csv` was written for an empty prefix, or renamed.
        let whole = lower == ending[1..];
        lower
            .ends_with(ending)
            .then(|| bare.len() - ending.len())
            .or(whole.then_some(0))
    })?;
    Some(beside(name, bare.get(..len)?))
}

/// The Locust prefix whose JSON a file would be.
pub fn json_prefix(name: &str) -> Option<String> {
    let bare = bare(name);
    let stem = bare.strip_suffix(".json")?;
    Some(beside(name, stem))
}

/// A file name in the folder of another.
fn beside(name: &str, file: &str) -> String {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    folder.join(file).display().to_string()
}

/// Whether a name is that of a load test's result.
pub fn looks_like_result(name: &str) -> bool {
    if prefix(name).is_some() {
        return true;
    }
    let bare = bare(name).to_ascii_lowercase();
    let (stem, extension) = bare.rsplit_once('.').unwrap_or((&bare, ""));
    LOGS.contains(&extension)
        || bare == "simulation.log"
        || NAMED_LOGS.contains(&extension) && stem.contains("requests")
}

/// Names under which loadgate writes, and reads its own.
pub fn is_own(name: &str) -> bool {
    const OWN: [&str; 7] = [
        "report.html",
        "report.json",
        "report.md",
        "metrics.csv",
        "metrics.txt",
        "junit.xml",
        "loadgate.toml",
    ];
    let file = Path::new(name).file_name().unwrap_or_default();
    OWN.iter().any(|own| file == *own)
}

/// Whether a file of that name tells of results rather than being one: notes and programs show examples.
pub fn is_about(name: &str) -> bool {
    const ABOUT: [&str; 16] = [
        "md", "markdown", "rst", "adoc", "html", "htm", "xml", "py", "js", "ts", "sh", "toml",
        "yml", "yaml", "ini", "cfg",
    ];
    let bare = bare(name).to_ascii_lowercase();
    let extension = bare.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| ABOUT.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_copies_are_no_part_of_a_name() {
        for marked in [
            "run_stats.csv",
            "a/run_stats (1).csv",
            "run_stats.csv.gz",
            "run_stats copy.csv",
            "run_stats copy 2.csv",
            "run_stats - Copy.csv",
            "run_stats - Copy (2).csv",
            "run_stats.csv.bak",
            "run_stats.csv.2.zst",
            "run_stats.csv~",
            "run_stats.csv-20260131",
        ] {
            assert_eq!(bare(marked), "run_stats.csv", "{marked}");
        }
        assert_eq!(bare("load 2.csv"), "load 2.csv");
        assert_eq!(bare("run-1.csv"), "run-1.csv");
        assert_eq!(bare(".gz"), ".gz");
    }

    #[test]
    fn tables_tell_their_prefix() {
        assert_eq!(prefix("a/run_stats.csv").as_deref(), Some("a/run"));
        assert_eq!(
            prefix("a/run_stats_history (1).csv").as_deref(),
            Some("a/run")
        );
        assert_eq!(prefix("stats.csv").as_deref(), Some(""));
        assert_eq!(
            prefix("Load Test_failures.csv.gz").as_deref(),
            Some("Load Test")
        );
        assert_eq!(prefix("run.json"), None);
        assert_eq!(json_prefix("a/run.json.gz").as_deref(), Some("a/run"));
    }

    #[test]
    fn results_are_told_by_name() {
        for name in [
            "x_stats.csv",
            "requests.jsonl.1",
            "events.ndjson",
            "my-requests-2.log",
            "requests.json.bz2",
            "kpi.jtl",
        ] {
            assert!(looks_like_result(name), "{name}");
        }
        for name in [
            "run_meta.json",
            "users.csv",
            "console.txt",
            "locust.log",
            "requirements.txt",
        ] {
            assert!(!looks_like_result(name), "{name}");
        }
    }
}
