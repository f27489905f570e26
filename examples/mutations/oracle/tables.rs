//! Locust's tables, which must agree with themselves and with each other.

use std::collections::BTreeMap;

use super::super::subject::{Endpoint, Figure, File, Gate};
use super::{Said, is_on, log, text};

mod contradictions;

use contradictions::{concerns, contradictions};

/// A row of the table, or the total.
#[derive(Clone, Debug, Default)]
struct Row {
    key: Option<Endpoint>,
    requests: f64,
    failures: f64,
    mean: f64,
    min: f64,
    max: f64,
    rps: f64,
    percentiles: BTreeMap<u32, f64>,
}

/// What is known of the run from its tables.
#[derive(Default)]
struct Tables {
    rows: Vec<Row>,
    total: Row,
    /// Endpoint → failures, of the failures file.
    failures: Option<BTreeMap<Endpoint, f64>>,
    /// The last total of the history: requests, failures, mean, min, max.
    end: Option<[f64; 5]>,
    /// Seconds from the first to the last row of the history.
    span_s: f64,
    /// Most users of the history.
    users: Option<f64>,
}

/// What the tables say; `originals` are those before the mutation, whose own habits are no contradictions.
pub fn said(files: &[File], originals: &[File], gate: &Gate) -> Said {
    let read = || -> Result<f64, String> {
        let tables = read(files)?;
        let known = read(originals)
            .map(|tables| contradictions(&tables))
            .unwrap_or_default();
        for (what, why) in contradictions(&tables) {
            let is_known = known.iter().any(|(k, w)| (*k, w) == (what, &why));
            if concerns(what, gate) && !is_known {
                return Err(why);
            }
        }
        tables.figure(gate)
    };
    match read() {
        Ok(value) => Said::Figure(
            value,
            "the tables agree with themselves and each other on it",
        ),
        Err(why) => Said::Nothing(why),
    }
}

/// A log's figures must be those of the tables beside it, which lack the last seconds.
pub fn reconcile(files: &[File], originals: &[File], gate: &Gate) -> Result<(), String> {
    let Ok(tables) = read(files) else {
        return if files.iter().any(File::is_table) {
            Err("the tables beside the log cannot be read".to_owned())
        } else {
            Ok(())
        };
    };
    let Ok(before) = read(originals) else {
        return Ok(());
    };
    let row = |tables: &Tables| -> Option<Row> {
        match &gate.on {
            None => Some(tables.total.clone()),
            Some(_) => tables.rows.iter().find(|row| row.key == gate.on).cloned(),
        }
    };
    let (Some(row), Some(before)) = (row(&tables), row(&before)) else {
        return Err("the tables beside the log do not have the endpoint".to_owned());
    };
    let of = |figure: Figure| {
        let gate = Gate {
            figure,
            ..gate.clone()
        };
        let of = |files: &[File]| match log::said(files, &gate) {
            Said::Figure(value, _) => Some(value),
            Said::Nothing(_) => None,
        };
        Some((of(files)?, of(originals)?))
    };
    // By how much more than before the log and its tables may differ: by a request or two.
    let far = |figure: Figure, table: f64, table_before: f64, slack: f64| {
        let Some((log, log_before)) = of(figure) else {
            return false;
        };
        ((log - table).abs() - (log_before - table_before).abs()) > slack * table.max(1.0)
    };
    let few = 0.01;
    let differs = match gate.figure {
        Figure::Requests
        | Figure::Rps
        | Figure::Users
        | Figure::FieldMax(_)
        | Figure::FieldMean(_) => far(Figure::Requests, row.requests, before.requests, few),
        Figure::Failures | Figure::FailureRatio => {
            far(Figure::Requests, row.requests, before.requests, few)
                || far(Figure::Failures, row.failures, before.failures, few)
        }
        Figure::Mean => far(Figure::Mean, row.mean, before.mean, few),
        Figure::Max => far(Figure::Max, row.max, before.max, few),
        Figure::Percentile(p) => match (row.percentiles.get(&p), before.percentiles.get(&p)) {
            (Some(now), Some(before)) => far(Figure::Percentile(p), *now, *before, 0.05),
            _ => false,
        },
    };
    if differs {
        return Err("the log differs from the tables beside it, which say how it was".to_owned());
    }
    Ok(())
}

/// The cells of a table by the names of its columns, in small letters.
struct Sheet {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn sheet(file: &File) -> Result<Sheet, String> {
    let bad = |why: &str| format!("{}: {why}", file.name);
    let text = text(&file.bytes).ok_or_else(|| bad("not whole"))?;
    let text = text.replace("\r\r\n", "\r\n");
    let first = text.lines().next().unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    let delimiter = [',', ';', '\t']
        .into_iter()
        .max_by_key(|c| count(*c))
        .unwrap_or(',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter as u8)
        .from_reader(text.as_bytes());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| bad(&e.to_string()))?;
        if record.iter().any(|cell| !cell.is_empty()) {
            rows.push(record.iter().map(str::to_owned).collect());
        }
    }
    if rows.is_empty() {
        return Err(bad("empty"));
    }
    let head: Vec<String> = rows
        .remove(0)
        .iter()
        .map(|h| h.trim().to_lowercase())
        .collect();
    let mut names = head.clone();
    names.sort();
    if names.windows(2).any(|two| two[0] == two[1]) {
        return Err(bad("a column is there twice"));
    }
    if rows.iter().any(|row| row.len() != head.len()) {
        return Err(bad("a row has more or fewer cells than there are columns"));
    }
    Ok(Sheet { head, rows })
}

impl Sheet {
    fn column(&self, names: &[&str]) -> Option<usize> {
        self.head.iter().position(|h| names.contains(&h.as_str()))
    }

    fn text(&self, row: usize, names: &[&str]) -> Result<&str, String> {
        let column = self
            .column(names)
            .ok_or_else(|| format!("no column {}", names[0]))?;
        Ok(&self.rows[row][column])
    }

    fn number(&self, row: usize, names: &[&str]) -> Result<f64, String> {
        let text = self.text(row, names)?;
        let value: f64 = text
            .parse()
            .map_err(|_| format!("{}: `{text}`", names[0]))?;
        if value.is_finite() && value >= 0.0 {
            Ok(value)
        } else {
            Err(format!("{}: `{text}`", names[0]))
        }
    }
}

const REQUESTS: &[&str] = &["request count", "# requests"];
const FAILURES: &[&str] = &["failure count", "# failures"];
const MEAN: &[&str] = &["average response time"];
const MIN: &[&str] = &["min response time"];
const MAX: &[&str] = &["max response time"];

fn is_total(method: &str, name: &str) -> bool {
    matches!(name, "Aggregated" | "Total") && matches!(method, "" | "None")
}

fn read(files: &[File]) -> Result<Tables, String> {
    let mut tables = Tables::default();
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut stats = 0;
    for file in files.iter().filter(|f| f.name != "requests.jsonl") {
        if seen.contains(&&file.bytes[..]) {
            continue;
        }
        seen.push(&file.bytes);
        let sheet = sheet(file)?;
        if sheet.column(&["occurrences"]).is_some() {
            tables.failures = Some(failures(&sheet)?);
        } else if sheet.column(&["traceback"]).is_some() {
        } else if sheet.column(&["timestamp"]).is_some() {
            history(&sheet, &mut tables)?;
        } else {
            stats += 1;
            rows(&sheet, &mut tables)?;
        }
    }
    match stats {
        1 => Ok(tables),
        0 => Err("there is no table of statistics".to_owned()),
        _ => Err("there are several runs".to_owned()),
    }
}

fn rows(sheet: &Sheet, tables: &mut Tables) -> Result<(), String> {
    let mut totals = 0;
    for i in 0..sheet.rows.len() {
        let method = sheet.text(i, &["type", "method"])?.to_owned();
        let name = sheet.text(i, &["name"])?.to_owned();
        let mut row = Row {
            requests: sheet.number(i, REQUESTS)?,
            failures: sheet.number(i, FAILURES)?,
            mean: sheet.number(i, MEAN)?,
            min: sheet.number(i, MIN)?,
            max: sheet.number(i, MAX)?,
            rps: sheet.number(i, &["requests/s"])?,
            ..Row::default()
        };
        for (column, head) in sheet.head.iter().enumerate() {
            let percent = head.strip_suffix('%').and_then(|p| p.parse::<f64>().ok());
            if let Some(percent) = percent {
                let cell = &sheet.rows[i][column];
                let ms = cell.parse().map_err(|_| format!("{head}: `{cell}`"))?;
                if percent.fract() == 0.0 {
                    row.percentiles.insert(percent as u32, ms);
                }
            }
        }
        if is_total(&method, &name) {
            totals += 1;
            if i + 1 != sheet.rows.len() {
                return Err("rows follow the total".to_owned());
            }
            tables.total = row;
        } else {
            row.key = Some(Endpoint { method, name });
            if tables.rows.iter().any(|r| r.key == row.key) {
                return Err("a row is there twice".to_owned());
            }
            tables.rows.push(row);
        }
    }
    match totals {
        1 => Ok(()),
        n => Err(format!("there are {n} totals")),
    }
}

fn failures(sheet: &Sheet) -> Result<BTreeMap<Endpoint, f64>, String> {
    let mut found: BTreeMap<Endpoint, f64> = BTreeMap::new();
    for i in 0..sheet.rows.len() {
        let key = Endpoint {
            method: sheet.text(i, &["method"])?.to_owned(),
            name: sheet.text(i, &["name"])?.to_owned(),
        };
        *found.entry(key).or_default() += sheet.number(i, &["occurrences"])?;
    }
    Ok(found)
}

fn history(sheet: &Sheet, tables: &mut Tables) -> Result<(), String> {
    let total = |names: &[&str]| -> Vec<String> {
        names
            .iter()
            .map(|n| format!("total {n}"))
            .chain(names.iter().map(|n| (*n).to_owned()))
            .collect()
    };
    let mut times = Vec::new();
    for i in 0..sheet.rows.len() {
        let at = sheet.number(i, &["timestamp"])?;
        times.push(at);
        if sheet.column(&["user count"]).is_some() {
            let users = sheet.number(i, &["user count"])?;
            tables.users = Some(tables.users.unwrap_or(0.0).max(users));
        }
        let name = sheet.text(i, &["name"])?;
        if !matches!(name, "Aggregated" | "Total") {
            continue;
        }
        let figure = |names: &[&str]| {
            let names = total(names);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            sheet.number(i, &names)
        };
        let end = [
            figure(REQUESTS)?,
            figure(FAILURES)?,
            figure(MEAN)?,
            figure(MIN)?,
            figure(MAX)?,
        ];
        if let Some([requests, failures, ..]) = tables.end
            && (requests > end[0] || failures > end[1])
        {
            return Err(format!(
                "the history counts {} requests after {requests}",
                end[0]
            ));
        }
        tables.end = Some(end);
    }
    if times
        .windows(2)
        .any(|two| two[0] > two[1] || two[1] - two[0] > 60.0)
    {
        return Err("the history leaps in time".to_owned());
    }
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        tables.span_s = last - first;
    }
    Ok(())
}

impl Tables {
    fn figure(&self, gate: &Gate) -> Result<f64, String> {
        let on = gate.on.as_ref();
        let row = match on {
            None => &self.total,
            Some(_) => self
                .rows
                .iter()
                .find(|row| {
                    row.key
                        .as_ref()
                        .is_some_and(|k| is_on(on, &k.method, &k.name))
                })
                .ok_or("there is no such row")?,
        };
        if row.requests == 0.0 {
            return Err("there are no requests".to_owned());
        }
        match &gate.figure {
            Figure::Requests => Ok(row.requests),
            Figure::Failures => Ok(row.failures),
            Figure::FailureRatio => Ok(row.failures / row.requests),
            Figure::Mean => Ok(row.mean),
            Figure::Max => Ok(row.max),
            Figure::Percentile(p) => {
                let needed = 100.0 / f64::from((100 - p).max(1));
                if row.requests < needed {
                    return Err("too few requests".to_owned());
                }
                row.percentiles
                    .get(p)
                    .copied()
                    .ok_or_else(|| format!("no column {p}%"))
            }
            Figure::Rps => Ok(row.rps),
            Figure::Users => self
                .users
                .ok_or_else(|| "no history tells the users".to_owned()),
            Figure::FieldMax(_) | Figure::FieldMean(_) => Err("tables have no fields".to_owned()),
        }
    }
}
