//! The page in a real browser: it says nothing to the console, fetches nothing, can be read and used by mouse and by
//! keyboard, on a phone, in the dark and on paper, and an accessibility engine has nothing to say about it.
//!
//! `LOADGATE_SCREENSHOTS=FOLDER cargo test browser` leaves pictures of every page to be looked at.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chromium::{Browser, installed, missing};
use crate::harness::{loadgate, root};

/// A folder with a page, and the page.
struct Page {
    _folder: Option<tempfile::TempDir>,
    file: PathBuf,
}

/// The page of a case, made anew: golden pages are kept without their style and script.
fn golden(case: &str) -> Page {
    let (folder, _) = crate::cases::made(&root(&format!("testdata/cases/{case}")));
    let file = folder.path().join("report.html");
    Page {
        _folder: Some(folder),
        file,
    }
}

/// The page of a request log.
fn page_of(log: &str, more: &[&str]) -> Page {
    let folder = tempfile::tempdir().unwrap();
    let input = crate::harness::file(&folder, "run.jsonl", log.as_bytes());
    let file = folder.path().join("report.html");
    let mut args = vec!["check", &input, "--html", file.to_str().unwrap()];
    args.extend(more);
    let run = loadgate(&args);
    assert!(file.is_file(), "{}", run.stderr);
    Page {
        _folder: Some(folder),
        file,
    }
}

const LONG: usize = 10_000;

/// Names that try to be more than names.
fn hostile() -> Page {
    let names = [
        "<script>document.title='taken'</script>".to_owned(),
        "\"><img src=x onerror=\"document.title='taken'\">".to_owned(),
        "</script><script>document.title='taken'</script><!--".to_owned(),
        "{{ 7 * 7 }}{% raw %}".to_owned(),
        "\u{202e}gnp.exe \u{200f}שלום".to_owned(),
        "two\nlines\tand\u{1b}[31m".to_owned(),
        "x".repeat(LONG),
        "' onfocus='document.title=1' autofocus='".to_owned(),
    ];
    let mut log = String::new();
    for (i, name) in names.iter().cycle().take(80).enumerate() {
        let error = (i % 5 == 0).then_some(name);
        let line = json!({
            "timestamp": format!("2026-01-01T00:{:02}:{:02}Z", i / 60, i % 60), "method": name.chars().take(30).collect::<String>(),
            "name": name, "response_time_ms": 10 + i, "status": if i % 5 == 0 { 500 } else { 200 }, "error": error, "memory_mb": i,
        });
        let _ = writeln!(log, "{line}");
    }
    let label = format!("name={}", names[0]);
    page_of(
        &log,
        &[
            "--label",
            &label,
            "--require",
            "max < 20ms on *",
            "--require",
            "max(memory_mb) < 100",
        ],
    )
}

/// A run with so many endpoints, ten requests each.
fn many(endpoints: i64) -> Page {
    let mut log = String::new();
    for i in 0..endpoints * 10 {
        let _ = writeln!(
            log,
            "{{\"timestamp\":{},\"method\":\"GET\",\"name\":\"/endpoint/{:03}\",\"response_time_ms\":{},\"status\":{}}}",
            1_767_225_600_000_i64 + i * 37,
            i % endpoints,
            5 + (i * 7919) % 400,
            if i % 97 == 0 { 503 } else { 200 }
        );
    }
    page_of(&log, &["--require", "p95 < 350ms on *"])
}

/// A page with so many verdicts: every fifth failed, every seventh could not be decided.
fn judged(verdicts: usize, all_pass: bool) -> Page {
    let folder = tempfile::tempdir().unwrap();
    let mut gates = String::new();
    for i in 0..verdicts {
        let rule = match (all_pass, i % 5, i % 7) {
            (false, 0, _) => "max < 1ms",
            (false, _, 0) => "max(rows) < 5",
            _ => "max < 10s",
        };
        let _ = writeln!(
            gates,
            "[[gate]]\nid = \"PERF-{i:02}\"\nrequire = \"{rule}\"\n"
        );
    }
    let gates = crate::harness::file(&folder, "gates.toml", gates.as_bytes());
    page_of(&crate::harness::ten_lines(), &["--config", &gates])
}

/// The page that stands there when there is no verdict.
fn no_verdict() -> Page {
    page_of("not a log\n", &["--require", "p95 < 5"])
}

/// The page of a history of four runs.
fn trend() -> Page {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.jsonl");
    let file = folder.path().join("trend.html");
    let (history, page) = (history.to_str().unwrap(), file.to_str().unwrap());
    for run in ["batch", "shape_ramp", "batch", "shape_ramp"] {
        let input = format!("testdata/locust/2.47.0/{run}");
        let recorded = loadgate(&["check", &input, "--record", history]);
        assert_eq!(recorded.code, 0, "{}", recorded.stderr);
    }
    let shown = loadgate(&["trend", history, "--html", page]);
    assert!(file.is_file(), "{}", shown.stderr);
    Page {
        _folder: Some(folder),
        file,
    }
}

/// The page of a longer history of more endpoints, in which some got slower.
fn long_trend() -> Page {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.jsonl");
    let file = folder.path().join("trend.html");
    let made = crate::trend_reports::Made {
        runs: 45,
        endpoints: 24,
        slower: 2,
    };
    made.write(&history);
    let (history, page) = (history.to_str().unwrap(), file.to_str().unwrap());
    let shown = loadgate(&["trend", history, "--html", page]);
    assert!(file.is_file(), "{}", shown.stderr);
    Page {
        _folder: Some(folder),
        file,
    }
}

/// What the browser complained about, and what it fetched besides the page.
fn noise(events: &[Value], page: &Path) -> Vec<String> {
    let own = format!("file://{}", page.display());
    let loud = |event: &Value| {
        let params = &event["params"];
        match event["method"].as_str()? {
            "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded" => {
                Some(params.to_string())
            }
            "Network.requestWillBeSent" => {
                let address = params["request"]["url"].as_str()?;
                let allowed = address == own
                    || address.starts_with(&format!("{own}#"))
                    || address.starts_with("data:");
                (!allowed).then(|| format!("fetches {address}"))
            }
            _ => None,
        }
    };
    events.iter().filter_map(loud).collect()
}

fn pages() -> Vec<(&'static str, Page)> {
    let mut pages = vec![
        ("hostile", hostile()),
        ("many", many(500)),
        ("trend", trend()),
        ("trend-long", long_trend()),
        ("passed-14", judged(14, true)),
        ("failed-60", judged(60, false)),
        ("no-verdict", no_verdict()),
    ];
    let mut cases: Vec<_> = std::fs::read_dir(root("testdata/cases"))
        .unwrap()
        .map(|c| c.unwrap().file_name())
        .collect();
    cases.sort();
    for case in cases {
        let name: &'static str = String::leak(case.into_string().unwrap());
        pages.push((name, golden(name)));
    }
    pages
}

#[test]
fn every_page_is_quiet_and_fits_every_screen() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    let pictures = std::env::var_os("LOADGATE_SCREENSHOTS").map(PathBuf::from);
    for (name, page) in pages() {
        for (look, width, media, scheme) in [
            ("wide", 1280, "screen", "light"),
            ("phone", 360, "screen", "light"),
            ("phone-390", 390, "screen", "light"),
            ("phone-dark", 360, "screen", "dark"),
            ("dark", 1280, "screen", "dark"),
            ("print", 688, "print", "light"),
        ] {
            browser.screen(width, 900);
            browser.media(media, scheme);
            browser.open(&page.file);
            let beyond = browser.value(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth",
            );
            assert!(
                beyond == 0,
                "{name}, {look}: {beyond} pixels to scroll sideways"
            );
            let dark = browser.value("getComputedStyle(document.body).backgroundColor")
                != "rgb(255, 255, 255)";
            assert_eq!(dark, scheme == "dark", "{name}, {look}");
            let noise = noise(&browser.events, &page.file);
            assert!(noise.is_empty(), "{name}, {look}: {noise:#?}");
            if let Some(folder) = &pictures {
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(folder.join(format!("{name}-{look}.png")), browser.picture())
                    .unwrap();
            }
        }
    }
}

/// What passed may be behind a click; on paper there is none.
#[test]
fn every_verdict_can_be_read_and_is_printed() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    let seen = "[...document.querySelectorAll('tr.verdict, li.verdict')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height > 0).length";
    for (verdicts, all_pass, on_screen) in [
        (14, true, 14),
        (12, false, 12),
        (60, false, 19),
        (600, false, 188),
    ] {
        let page = judged(verdicts, all_pass);
        browser.screen(1280, 900);
        browser.media("screen", "light");
        browser.open(&page.file);
        assert_eq!(browser.value(seen), on_screen, "{verdicts}");
        browser
            .value("document.querySelectorAll('details.passed').forEach((d) => (d.open = true))");
        assert_eq!(browser.value(seen), verdicts, "{verdicts} after a click");
        browser.open(&page.file);
        browser.media("print", "light");
        assert_eq!(browser.value(seen), verdicts, "{verdicts} on paper");
    }
}

#[test]
fn the_table_sorts_and_filters_by_mouse_and_by_keyboard() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    let page = many(500);
    browser.screen(1280, 900);
    browser.open(&page.file);
    let shown = "[...document.querySelectorAll('#endpoint-table tbody tr:not([hidden])')].map((r) => r.cells[0].textContent.trim())";
    let column = |n: usize| {
        format!(
            "[...document.querySelectorAll('#endpoint-table tbody tr:not([hidden])')].map((r) => Number(r.cells[{n}].textContent.replace(/,/g, '')))"
        )
    };
    let sorted = |values: &Value, descending: bool| {
        let numbers: Vec<f64> = values
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap())
            .collect();
        assert!(numbers.len() > 1);
        numbers.windows(2).all(|w| {
            if descending {
                w[0] >= w[1]
            } else {
                w[0] <= w[1]
            }
        })
    };
    assert_eq!(
        browser.value(&format!("{shown}.length")),
        100,
        "the first hundred"
    );
    assert_eq!(
        browser.text("document.getElementById('shown').textContent"),
        "100 of 500 endpoints"
    );

    // By mouse: p95 is the eighth column; largest first, then smallest.
    browser.click("#endpoint-table thead th:nth-child(8) button");
    assert_eq!(
        browser.text("document.querySelector('#endpoint-table th:nth-child(8)').ariaSort"),
        "descending"
    );
    assert!(sorted(&browser.value(&column(7)), true));
    browser.click("#endpoint-table thead th:nth-child(8) button");
    assert!(sorted(&browser.value(&column(7)), false));
    // By keyboard: the next head is one Tab away.
    browser.press("Tab");
    browser.press("Enter");
    assert_eq!(
        browser.text("document.querySelector('#endpoint-table th:nth-child(9)').ariaSort"),
        "descending"
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#endpoint-table [aria-sort]').length"),
        1
    );
    assert!(sorted(&browser.value(&column(8)), true));

    browser.value("document.getElementById('filter').focus()");
    browser.write("GET /endpoint/12");
    assert_eq!(browser.value(&format!("{shown}.length")), 10);
    assert_eq!(
        browser.text("document.getElementById('shown').textContent"),
        "10 of 500 endpoints"
    );
    browser.write("7");
    assert_eq!(
        browser.value(&format!("{shown}.join()")),
        "GET /endpoint/127"
    );
    browser.value("(() => { const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input')); })()");
    browser.click("#all");
    assert_eq!(browser.value(&format!("{shown}.length")), 500);
}

#[test]
fn a_link_to_a_hidden_row_shows_it() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    let page = many(500);
    browser.open(&page.file);
    assert_eq!(
        browser.value("document.getElementById('e499').hidden"),
        true
    );
    browser.value("location.hash = '#e499'");
    browser.until("!document.getElementById('e499').hidden");
}

#[test]
fn charts_tell_their_values_by_mouse_and_by_keyboard() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    let page = golden("failing_ramp");
    browser.screen(1280, 900);
    browser.open(&page.file);
    let tip =
        "document.getElementById('tip').hidden ? '' : document.getElementById('tip').innerText";
    assert_eq!(browser.text(tip), "");
    browser.point("#response-time .plane", 0.5);
    let middle = browser.text(tip);
    assert!(
        middle.contains("p95") && middle.contains("23:51"),
        "{middle}"
    );
    browser.point("#response-time .plane", 0.0);
    assert_ne!(browser.text(tip), middle);
    browser.point("h1", 0.5);
    assert_eq!(browser.text(tip), "", "the pointer left");

    // The slider is reached by Tab; its text for a screen reader is what is shown.
    browser.value("document.querySelector('#response-time .cursor').focus()");
    browser.press("Home");
    let first = browser.text("document.activeElement.getAttribute('aria-valuetext')");
    browser.press("ArrowRight");
    let second = browser.text("document.activeElement.getAttribute('aria-valuetext')");
    assert!(
        first != second && second.contains("p95, ms"),
        "{first} / {second}"
    );
    let shown = browser.text(tip);
    assert!(
        shown
            .lines()
            .all(|line| line.split('\t').all(|part| second.contains(part.trim()))),
        "{shown} / {second}"
    );
    browser.press("Escape");
    assert_eq!(browser.text(tip), "");

    browser.click_until(
        "#response-time .data summary",
        "document.querySelector('#response-time .data').open",
    );
    let all = "Number(document.querySelector('#response-time .cursor').max) + 1";
    browser.until(&format!(
        "document.querySelectorAll('#response-time .data tbody tr').length === {all}"
    ));
    let noise = noise(&browser.events, &page.file);
    assert!(noise.is_empty(), "{noise:#?}");
}

#[test]
fn hostile_names_stay_text() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    let page = hostile();
    browser.screen(1280, 900);
    browser.open(&page.file);
    assert!(
        browser.text("document.title").starts_with("Failed: "),
        "a name ran"
    );
    assert_eq!(
        browser.value("document.scripts.length"),
        2,
        "the script and its data"
    );
    assert_eq!(browser.value("document.images.length"), 0);
    assert_eq!(
        browser.value(
            "document.querySelectorAll('[onerror], [onfocus], [autofocus], [style]').length"
        ),
        0
    );
    let names = browser.text("[...document.querySelectorAll('#endpoint-table tbody th')].map((h) => h.textContent).join('\\n')");
    for wanted in [
        "<script>document.title='taken'</script>",
        "{{ 7 * 7 }}{% raw %}",
        "⟨202E⟩gnp.exe",
        "two⟨000A⟩lines⟨0009⟩and⟨001B⟩[31m",
    ] {
        assert!(names.contains(wanted), "{wanted}");
    }
    assert!(
        names.contains(&"x".repeat(LONG)),
        "the full text can be had"
    );
    assert_eq!(
        browser.value(
            "[...document.querySelectorAll('details.long')].some((d) => d.offsetHeight > 300)"
        ),
        false
    );
}

#[test]
fn the_page_prints_and_reads_without_scripts() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    let page = golden("failing_ramp");
    browser.open(&page.file);
    let pdf = browser.pdf();
    assert!(pdf.starts_with(b"%PDF-"));
    let sheets = pdf.windows(11).filter(|w| w == b"/Type /Page").count();
    assert!(sheets >= 3, "{sheets} sheets");
    browser.media("print", "dark");
    let hidden = "[...document.querySelectorAll('nav, .filter, .cursor, .data')].every((e) => getComputedStyle(e).display === 'none')";
    assert_eq!(browser.value(hidden), true);
    assert_eq!(
        browser.text("getComputedStyle(document.querySelector('figure')).breakInside"),
        "avoid"
    );
    assert_eq!(
        browser.text("getComputedStyle(document.body).backgroundColor"),
        "rgb(255, 255, 255)",
        "paper is white"
    );

    browser.media("screen", "light");
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        &json!({"value": true}),
    );
    browser.open(&page.file);
    assert_eq!(
        browser.value("document.querySelectorAll('th button, .cursor').length"),
        0
    );
    assert_eq!(
        browser.value("document.querySelectorAll('#endpoint-table tbody tr').length > 1"),
        true
    );
    assert_eq!(
        browser.value("getComputedStyle(document.querySelector('.filter')).display"),
        "none",
        "no filter without a script"
    );
    assert_eq!(browser.value("[...document.querySelectorAll('svg.plot')].every((s) => s.getBoundingClientRect().height > 100)"), true);
}

#[test]
fn an_accessibility_engine_finds_nothing() {
    let Some(program) = installed() else { return };
    let Some(axe) = std::env::var_os("LOADGATE_AXE") else {
        return missing("LOADGATE_AXE does not name axe-core's axe.min.js");
    };
    let axe = std::fs::read_to_string(axe).unwrap();
    let mut browser = Browser::start(&program);
    let looks = [(1280, "light"), (1280, "dark"), (360, "light")];
    let pages = [
        (hostile(), &looks[..]),
        (golden("failing_ramp"), &looks[..]),
        (golden("claims_api_fail"), &looks[..1]),
        (golden("locust_tables_only"), &looks[..1]),
        (golden("undecided_empty"), &looks[..1]),
        (trend(), &looks[..2]),
        (long_trend(), &looks[..]),
        (many(101), &looks[..1]),
    ];
    for (page, looks) in pages {
        for &(width, scheme) in looks {
            browser.screen(width, 900);
            browser.media("screen", scheme);
            browser.open(&page.file);
            // Everything open, and a tooltip shown.
            browser.value("document.querySelectorAll('details').forEach((d) => d.open = true)");
            if browser.value("document.querySelector('.plane') !== null") == true {
                browser.point(".chart .plane", 0.4);
            }
            browser.value(&format!("{axe}; true"));
            let found = browser.value(
                "axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => [v.id, v.help, v.nodes.length, v.nodes[0].html.slice(0, 300), v.nodes[0].failureSummary].join(' | ')))",
            );
            let name = page.file.display();
            assert_eq!(found, json!([]), "{name}, {width}, {scheme}");
        }
    }
}

#[test]
fn headings_are_in_order_and_every_chart_has_words() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(&program);
    for (name, page) in pages() {
        browser.open(&page.file);
        let levels = browser.value(
            "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))",
        );
        let levels: Vec<i64> = levels
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_i64().unwrap())
            .collect();
        assert_eq!(levels[0], 1, "{name}");
        assert!(
            levels.windows(2).all(|w| w[1] <= w[0] + 1 && w[1] > 1),
            "{name}: {levels:?}"
        );
        let silent = browser.value(
            "[...document.querySelectorAll('svg:not([aria-hidden]):not(.plane)')].filter((s) => s.getAttribute('role') !== 'img' || ['aria-labelledby', 'aria-describedby'].some((a) => !document.getElementById(s.getAttribute(a))?.textContent.trim())).length",
        );
        assert_eq!(silent, 0, "{name}");
        let broken = browser.value("[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.getAttribute('href').slice(1)).filter((id) => !document.getElementById(id))");
        assert_eq!(broken, json!([]), "{name}: links that lead nowhere");
        let twice = browser.value("(() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); return ids.filter((id, i) => ids.indexOf(id) !== i); })()");
        assert_eq!(twice, json!([]), "{name}: ids used twice");
    }
}
