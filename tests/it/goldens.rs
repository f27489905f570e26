//! Expected files: what differs is shown as a diff, of every file, and `LOADGATE_UPDATE=1` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use similar::TextDiff;

use crate::harness::root;

/// Lines of a file's diff that are shown.
const MOST_LINES: usize = 40;
/// Characters of a line that are shown.
const LONGEST_LINE: usize = 240;

/// The comparison of many files, all of which are looked at before it fails.
pub struct Goldens {
    update: bool,
    differing: String,
}

impl Goldens {
    pub fn new() -> Self {
        Self {
            update: std::env::var_os("LOADGATE_UPDATE").is_some(),
            differing: String::new(),
        }
    }

    /// Compares a file's text with what is expected; a page without the style and the script that all pages share.
    pub fn check(&mut self, path: &Path, found: &str) {
        let is_page = path.extension().is_some_and(|e| e == "html");
        let found = if is_page {
            without_shared_parts(found)
        } else {
            found.to_owned()
        };
        if self.update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, found).unwrap();
            return;
        }
        let expected = std::fs::read_to_string(path).unwrap_or_default();
        if expected != found {
            let _ = writeln!(
                self.differing,
                "{}\n{}",
                path.display(),
                diff(&expected, &found)
            );
        }
    }

    /// Fails with every difference.
    pub fn finish(self) {
        assert!(
            self.differing.is_empty(),
            "not as expected (`LOADGATE_UPDATE=1 cargo test` writes the files anew; look at what changes):\n{}",
            self.differing
        );
    }
}

/// The first lines that differ, with one line about each.
fn diff(expected: &str, found: &str) -> String {
    let diff = TextDiff::from_lines(expected, found);
    let unified = diff.unified_diff().context_radius(1).to_string();
    let cut = |line: &str| match line.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    };
    let mut lines: Vec<String> = unified.lines().map(cut).collect();
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push(format!("… {more} more lines"));
    }
    lines.join("\n")
}

/// A page with the names of its style and script in their place, and without their hashes: a change of the style changes
/// no page. They must be those of `templates/`, to the letter.
fn without_shared_parts(page: &str) -> String {
    let template = |name: &str| std::fs::read_to_string(root("templates").join(name)).unwrap();
    let (report, trend) = (template("report.css"), template("trend.css"));
    let style = between(page, "<style>", "</style>").expect("a style");
    let name = if style == report {
        "report.css"
    } else {
        assert_eq!(
            style,
            report + &trend,
            "another style than that of templates/"
        );
        "report.css, trend.css"
    };
    let mut page = page.replacen(style, name, 1);
    if let Some(script) = between(&page, "<script>", "</script>").map(ToOwned::to_owned) {
        assert_eq!(
            script,
            template("report.js"),
            "another script than that of templates/"
        );
        page = page.replacen(&script, "report.js", 1);
    }
    let hash = regex::Regex::new("sha256-[A-Za-z0-9+/=]+(&#x2f;[A-Za-z0-9+/=]+)*").unwrap();
    hash.replace_all(&page, "sha256-…").into_owned()
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0)
}

#[test]
fn a_difference_is_shown() {
    let shown = diff("a\nb\nc\nd\n", "a\nb\nC\nd\n");
    assert!(
        shown.contains("-c") && shown.contains("+C") && !shown.contains("\n a"),
        "{shown}"
    );
}
