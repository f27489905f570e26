//! The manual: every command in `docs/` is run, every snippet is parsed.
//!
//! * `console`: each line with `$ ` is run in the document's own temporary folder; what it prints, and `[exit N]` if that is not
//!   0, must be what stands below. `LOADGATE_UPDATE=1 cargo test manual` writes it anew.
//! * `toml`: a valid gate file. `python`, `javascript`, `yaml`, `toml`: saved under the name in a first-line comment.
//! * `json`: valid. `sh`: run by `tests/newcomer.sh`, so only where that looks.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::root;

/// The document whose shell commands need Locust and a network; `tests/newcomer.sh` runs them.
const NEWCOMER: &str = "five-minutes.md";

/// Held while pages are read or written: two tests write parts of one page.
static PAGES: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn documents() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(root("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    all.sort();
    all
}

/// One fenced block: its language, its lines, and where it begins.
struct Block {
    language: String,
    lines: Vec<String>,
    first_line: usize,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut all: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (i, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            if !is_open {
                all.push(Block {
                    language: language.to_owned(),
                    lines: Vec::new(),
                    first_line: i + 2,
                });
            }
            is_open = !is_open;
        } else if is_open {
            all.last_mut().unwrap().lines.push(line.to_owned());
        }
    }
    assert!(!is_open, "a block has no end");
    all
}

/// Runs a command the way the reader would.
fn shell(command: &str, dir: &Path) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_loadgate")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(dir)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C");
    for name in [
        "CI",
        "GITHUB_ACTIONS",
        "GITLAB_CI",
        "TF_BUILD",
        "TEAMCITY_VERSION",
    ] {
        shell.env_remove(name);
    }
    let output = shell.output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let code = output.status.code().unwrap();
    if code != 0 {
        writeln!(text, "[exit {code}]").unwrap();
    }
    text
}

/// A console block as it should be.
fn replay(block: &Block, dir: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for line in &block.lines {
        if let Some(command) = line.strip_prefix("$ ") {
            lines.push(line.clone());
            lines.extend(shell(command, dir).lines().map(|l| l.trim_end().to_owned()));
        }
    }
    lines
}

/// Saves a snippet whose first line is a comment with a file's name.
fn save(block: &Block, dir: &Path) {
    let first = block.lines.first().map_or("", String::as_str);
    let name = first
        .strip_prefix("# ")
        .or_else(|| first.strip_prefix("// "));
    let is_name = |name: &str| name.contains('.') && !name.contains([' ', '/']);
    if let Some(name) = name.filter(|name| is_name(name)) {
        std::fs::write(dir.join(name), block.lines.join("\n") + "\n").unwrap();
    }
}

fn check(document: &Path, block: &Block, dir: &Path) {
    let name = document.file_name().unwrap().to_str().unwrap();
    let place = format!("docs/{name}:{}", block.first_line);
    let text = block.lines.join("\n");
    match block.language.as_str() {
        "toml" => {
            if let Err(problems) = loadgate::config::parse(&text, &place) {
                panic!("{}", problems[0].long());
            }
        }
        "python" => python(&text, &place),
        "javascript" | "yaml" => {
            let first = text.lines().next().unwrap_or_default();
            assert!(
                first.contains('.'),
                "{place}: nothing reads this snippet: name its file"
            );
        }
        "json" => {
            serde_json::from_str::<serde_json::Value>(&text)
                .unwrap_or_else(|e| panic!("{place}: {e}"));
        }
        "sh" => assert_eq!(name, NEWCOMER, "{place}: nothing runs these commands"),
        other => panic!("{place}: a block of `{other}` is tested by nothing"),
    }
    save(block, dir);
}

#[expect(clippy::print_stderr, reason = "what a test leaves out it says")]
fn python(text: &str, place: &str) {
    let run = Command::new("python3")
        .args(["-c", "import ast, sys; ast.parse(sys.argv[1])", text])
        .output();
    match run {
        Ok(output) => assert!(
            output.status.success(),
            "{place}: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) if std::env::var("CI").is_ok_and(|v| v == "true") => {
            panic!("no python3: {error}")
        }
        Err(error) => eprintln!("skipped {place}: no python3 ({error})"),
    }
}

#[test]
fn every_command_and_snippet_of_the_manual_works() {
    let update = std::env::var_os("LOADGATE_UPDATE").is_some();
    let _pages = PAGES.lock().unwrap();
    let mut wrong = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // From the end, so that the places of earlier blocks stay right.
        let mut replaced = Vec::new();
        for block in blocks(&text) {
            if block.language == "console" {
                let found = replay(&block, dir.path());
                if found != block.lines {
                    replaced.push((block, found));
                }
            } else {
                check(&document, &block, dir.path());
            }
        }
        for (block, found) in replaced.into_iter().rev() {
            let from = block.first_line - 1;
            if update {
                lines.splice(from..from + block.lines.len(), found);
            } else {
                wrong.push(format!(
                    "{}:{}\n--- the manual\n{}\n--- the program\n{}",
                    document.display(),
                    block.first_line,
                    block.lines.join("\n"),
                    found.join("\n")
                ));
            }
        }
        if update {
            std::fs::write(&document, lines.join("\n") + "\n").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_request_logger_is_python() {
    let text = std::fs::read_to_string(root("templates/init/locust_request_log.py")).unwrap();
    python(&text, "templates/init/locust_request_log.py");
}

#[test]
fn every_link_of_the_manual_leads_somewhere() {
    let _pages = PAGES.lock().unwrap();
    let link = regex::Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let mut linked = BTreeSet::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for found in link.captures_iter(&text) {
            let target = document.parent().unwrap().join(&found[1]);
            assert!(target.exists(), "{}: {}", document.display(), &found[1]);
            linked.insert(target.canonicalize().unwrap());
        }
    }
    for document in documents() {
        let is_index = document.ends_with("README.md");
        let path = document.canonicalize().unwrap();
        assert!(
            is_index || linked.contains(&path),
            "no page links to {}",
            path.display()
        );
    }
}

/// The part of a page between two comments, which the program's own tables write.
fn generated(page: &str, begin: &str, found: &str) {
    let path = root("docs").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let from = text.find(begin).unwrap();
    let from = from + text[from..].find("-->\n").unwrap() + 4;
    let to = from + text[from..].find("<!-- end -->").unwrap();
    if std::env::var_os("LOADGATE_UPDATE").is_some() {
        std::fs::write(
            &path,
            format!("{}\n{found}\n{}", &text[..from], &text[to..]),
        )
        .unwrap();
        return;
    }
    assert_eq!(
        text[from..to].trim(),
        found.trim(),
        "docs/{page} is not what the program says"
    );
}

#[test]
fn the_pages_of_metrics_and_errors_are_the_programs_own_words() {
    let _pages = PAGES.lock().unwrap();
    let mut metrics = String::new();
    for (name, metric) in loadgate::explain::metrics::all() {
        let about = loadgate::explain::metrics::about(&metric);
        let unit = match metric.unit().symbol() {
            "" => "–",
            symbol => symbol,
        };
        let (definition, needs, example) = (about.definition, about.needs, about.example);
        writeln!(
            metrics,
            "## `{name}`\n\n{definition}\n\nUnit: {unit}. Needs: {needs}. As in `{example}`.\n"
        )
        .unwrap();
    }
    let mut errors = String::new();
    for (code, meaning) in loadgate::diagnostic::CODES {
        let remedies = loadgate::explain::codes::REMEDIES;
        let (_, example, remedy) = remedies.iter().find(|(known, ..)| known == code).unwrap();
        let meaning = format!("{}{}", meaning[..1].to_uppercase(), &meaning[1..]);
        writeln!(
            errors,
            "## {code}\n\n{meaning}. As in `{}`.\n\n{remedy}\n",
            example.replace('`', "")
        )
        .unwrap();
    }
    generated("metrics.md", "<!-- metrics:", &metrics);
    generated("errors.md", "<!-- errors:", &errors);
}

/// Every code that the source gives a message is a documented one, and every documented one is given.
#[test]
fn every_error_code_of_the_source_is_documented() {
    let call = regex::Regex::new(
        r#"(?:Diagnostic::new|\b[a-z_]+)\(\s*(?:[a-z_&.]+,\s*)?"([a-z]+(?:-[a-z]+)+)",\s"#,
    )
    .unwrap();
    let known: BTreeSet<&str> = loadgate::diagnostic::CODES
        .iter()
        .map(|(code, _)| *code)
        .collect();
    let (mut unknown, mut unused) = (BTreeSet::new(), known.clone());
    for file in sources(&root("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        if file.ends_with("diagnostic.rs") || file.ends_with("explain/codes.rs") {
            continue;
        }
        for code in &known {
            if text.contains(&format!("\"{code}\"")) {
                unused.remove(code);
            }
        }
        for found in call
            .captures_iter(text)
            .filter(|found| found[0].starts_with("Diagnostic::new"))
        {
            if !known.contains(&found[1]) {
                unknown.insert(format!("{}: {}", file.display(), &found[1]));
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "codes without documentation: {unknown:?}"
    );
    assert!(unused.is_empty(), "codes that nothing gives: {unused:?}");
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push(path);
        }
    }
    all
}
