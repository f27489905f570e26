//! Text to rows with places, cells to numbers.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Origin, Snippet};

/// Most problems of one file that are shown one by one.
const SHOWN: usize = 5;

const WHOLE: &str = "counts are whole numbers of 0 or more";
const CUT: &str = "the file looks cut off; copy it again after Locust has ended";
const MOMENT: &str = "moments are epoch seconds, or dates such as `2026-01-31 12:00:00` in UTC";
const WIDE: &str =
    "a comma inside a name has to stand in quotes, and each table needs a file of its own";
const AGAIN: &str = "give each table a file of its own, and each run a folder of its own";

/// Good rows, and what is wrong with the others.
pub type Rows<T> = Result<(Vec<T>, Vec<Diagnostic>), Diagnostic>;

/// A table by header name.
pub struct Table {
    /// The file as the user named it.
    pub file: String,
    /// Every row below the header.
    pub rows: Vec<Row>,
    /// The last row ends without a line end although the file's lines end in CR LF.
    pub unterminated: bool,
    header: Vec<String>,
    text: String,
    line_starts: Vec<usize>,
    delimiter: u8,
    decimal_comma: bool,
}

/// One record.
pub struct Row {
    /// Its cells.
    pub cells: csv::StringRecord,
    offset: usize,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A finite number.
    Known(f64),
    /// Empty or `N/A`.
    Unknown,
    /// `nan` or `inf`.
    NotFinite,
    /// Something else.
    Bad,
}

/// The header's cells, lower case, and the delimiter. Lines without any text come before it where a spreadsheet wrote the
/// file, and so do empty cells behind its last name.
pub fn header(text: &str) -> (Vec<String>, u8) {
    let is_blank = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"');
    let mut lines = text.lines();
    let line = lines.find(|line| !line.chars().all(is_blank));
    let line = line.unwrap_or_default();
    let count = |c: char| line.matches(c).count();
    let delimiter = if count(';') > count(',').max(count('\t')) {
        b';'
    } else if count('\t') > count(',') {
        b'\t'
    } else {
        b','
    };
    let mut cells: Vec<String> = line.split(char::from(delimiter)).map(normal).collect();
    let width = cells.iter().rposition(|cell| !cell.is_empty());
    cells.truncate(width.map_or(0, |last| last + 1));
    (cells, delimiter)
}

/// A cell as columns are named.
fn normal(cell: &str) -> String {
    cell.trim().trim_matches('"').trim().to_lowercase()
}

impl Table {
    /// A whole number of 0 or more.
    pub fn count(&self, row: &Row, column: usize) -> Result<u64, Diagnostic> {
        match self.number(row, Some(column)) {
            Number::Known(n) if n >= 0.0 && n.fract() == 0.0 && n < 9e15 => Ok(n as u64),
            _ => {
                let cell = row.cells.get(column).unwrap_or_default();
                Err(self.problem(row, column, format!("`{cell}` is not a count"), WHOLE))
            }
        }
    }

    /// What is wrong with a row that has not a cell for each column, or that is a header itself. Empty cells behind the last
    /// column are those of a spreadsheet.
    pub fn misshapen(&self, row: &Row) -> Option<Diagnostic> {
        let wants = self.width();
        if self.is_header(row) {
            let message =
                "the header stands here again: these are two tables in one file".to_owned();
            return Some(self.problem(row, 0, message, AGAIN));
        }
        if self.is_short(row) {
            let has = row.cells.len();
            return Some(self.problem(
                row,
                has,
                format!("the row has {has} of {wants} cells"),
                CUT,
            ));
        }
        let surplus = row
            .cells
            .iter()
            .skip(wants)
            .any(|cell| !cell.trim().is_empty());
        surplus.then(|| {
            let has = row.cells.len();
            let message = format!("the row has {has} cells, the header {wants} columns");
            self.problem(row, wants, message, WIDE)
        })
    }

    /// Whether a row has too few cells.
    pub fn is_short(&self, row: &Row) -> bool {
        row.cells.len() < self.width()
    }

    /// Whether most of a row's texts are names of columns.
    fn is_header(&self, row: &Row) -> bool {
        let texts = row
            .cells
            .iter()
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        let (mut names, mut all) = (0, 0);
        for text in texts {
            // Most rows are told by their first numbers.
            if all > 2 * names + 3 {
                return false;
            }
            all += 1;
            names += usize::from(
                self.header
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(text)),
            );
        }
        names >= 2 && names * 2 > all
    }

    /// What is wrong with a header that names a column twice: nobody knows which of the two is meant.
    fn named_twice(&self) -> Option<Diagnostic> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let percentiles: BTreeMap<usize, u32> = self.percentiles().into_iter().collect();
        for (column, cell) in self
            .header
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.is_empty())
        {
            // `95%` and `95.0%` are one.
            let name = percentiles
                .get(&column)
                .map_or_else(|| cell.clone(), |q| format!("{q}%"));
            if let Some(first) = names.insert(name, column) {
                let message = format!(
                    "the table has the column `{cell}` twice: it is column {} and column {}",
                    first + 1,
                    column + 1
                );
                return Some(
                    Diagnostic::new("bad-header", message)
                        .at(Origin::line(&self.file, 1))
                        .help(
                            "columns are found by name in the first line; leave the wrong one out",
                        ),
                );
            }
        }
        None
    }

    /// Splits text into rows.
    pub fn parse(file: &str, text: &str) -> Result<Self, Diagnostic> {
        let crlf = text.contains("\r\n");
        // Windows doubles the CR of every line end, and puts one before line feeds inside quotes.
        let text = if text.contains("\r\r\n") {
            text.replace("\r\r\n", "\n").replace("\r\n", "\n")
        } else {
            text.to_owned()
        };
        let (header, delimiter) = header(&text);
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect::<Vec<_>>();
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                Diagnostic::new("bad-line", format!("the table cannot be read: {error}"))
                    .at(Origin::file(file))
            })?;
            let start = record.position().map_or(0, |p| p.byte() as usize);
            let offset =
                start + text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
            rows.push(Row {
                cells: record,
                offset,
            });
        }
        // Rows of commas alone come from spreadsheets.
        rows.retain(|row: &Row| row.cells.iter().any(|cell| !cell.trim().is_empty()));
        if !rows.is_empty() {
            rows.remove(0);
        }
        let unterminated = crlf && !text.ends_with('\n');
        let mut table = Self {
            file: file.to_owned(),
            rows,
            unterminated,
            header,
            text,
            line_starts,
            delimiter,
            decimal_comma: false,
        };
        table.decimal_comma = table.has_decimal_commas();
        match table.named_twice() {
            Some(problem) => Err(problem),
            None => Ok(table),
        }
    }

    /// The column of any of these names.
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        names
            .iter()
            .find_map(|name| self.header.iter().position(|cell| cell == name))
    }

    /// The column of any of these names, or what is wrong with the header.
    pub fn needed(&self, names: &[&str]) -> Result<usize, Diagnostic> {
        self.column(names).ok_or_else(|| {
            let shown = names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or ");
            Diagnostic::new("bad-header", format!("the table has no column {shown}"))
                .at(Origin::line(&self.file, 1))
                .help("columns are found by name in the first line; export the table from Locust again")
        })
    }

    /// Every percentile column: index and quantile in millionths.
    pub fn percentiles(&self) -> Vec<(usize, u32)> {
        let percentile = |cell: &str| {
            let digits = cell
                .strip_suffix('%')
                .or(cell.starts_with("99.9").then_some(cell))?;
            let value: f64 = digits.trim().replace(',', ".").parse().ok()?;
            (0.0..=100.0)
                .contains(&value)
                .then(|| (value * 1e4).round() as u32)
        };
        self.header
            .iter()
            .enumerate()
            .filter_map(|(i, cell)| Some((i, percentile(cell)?)))
            .collect()
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.header.len()
    }

    /// The cell as a number.
    pub fn number(&self, row: &Row, column: Option<usize>) -> Number {
        let cell = column.and_then(|c| row.cells.get(c)).unwrap_or_default();
        number(cell, self.decimal_comma)
    }

    /// An epoch second. Spreadsheets turn it into a date, and Locust's clock is UTC.
    pub fn second(&self, row: &Row, column: usize) -> Result<i64, Diagnostic> {
        let cell = row.cells.get(column).unwrap_or_default().trim();
        let is_rounded = cell.contains(['e', 'E']);
        match self.number(row, Some(column)) {
            Number::Known(n) if (0.0..1e11).contains(&n) && !is_rounded => Ok(n.floor() as i64),
            _ => date(cell).ok_or_else(|| {
                let message = format!("`{cell}` is not a moment");
                self.problem(row, column, message, MOMENT)
            }),
        }
    }

    /// The line of a row.
    pub fn line(&self, row: &Row) -> u64 {
        self.line_of(row.offset).0 as u64 + 1
    }

    /// A problem with a cell of a row, or with the row's end if it has no such cell.
    pub fn problem(&self, row: &Row, column: usize, message: String, help: &str) -> Diagnostic {
        let at = self.cell_offset(row, column);
        let (line, start) = self.line_of(at);
        let shown = self.text[start..].lines().next().unwrap_or_default();
        let chars = self.text[start..at].chars().count();
        let cell = row.cells.get(column).map_or(1, |c| c.chars().count());
        let len = cell.min(shown.chars().count().saturating_sub(chars)).max(1);
        Diagnostic::new("bad-line", message)
            .at(Origin::at(&self.file, line as u64 + 1, chars as u64 + 1))
            .snippet(Snippet {
                text: shown.to_owned(),
                start: chars,
                len,
                label: String::new(),
            })
            .help(help)
    }

    fn line_of(&self, offset: usize) -> (usize, usize) {
        let line = self
            .line_starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1);
        (line, self.line_starts[line])
    }

    fn cell_offset(&self, row: &Row, column: usize) -> usize {
        let (mut quoted, mut seen) = (false, 0);
        let record = &self.text[row.offset..];
        if column == 0 {
            return row.offset;
        }
        for (at, byte) in record.bytes().enumerate() {
            if byte == b'"' {
                quoted = !quoted;
            } else if !quoted && matches!(byte, b'\r' | b'\n') {
                return row.offset + at;
            } else if !quoted && byte == self.delimiter {
                seen += 1;
                if seen == column {
                    return row.offset + at + 1;
                }
            }
        }
        self.text.len()
    }

    /// Whether commas in numbers are decimal commas: only where the comma does not separate cells, and unless every
    /// comma groups thousands while dots mark decimals.
    fn has_decimal_commas(&self) -> bool {
        if self.delimiter == b',' {
            return false;
        }
        let text_columns = [
            "type",
            "method",
            "name",
            "error",
            "message",
            "traceback",
            "nodes",
        ];
        let numeric: Vec<usize> = (0..self.header.len())
            .filter(|i| !text_columns.contains(&self.header[*i].as_str()))
            .collect();
        let cells = || {
            self.rows
                .iter()
                .flat_map(|row| numeric.iter().filter_map(|i| row.cells.get(*i)))
        };
        let has_comma = cells().any(|c| c.contains(','));
        let dot_decimals = cells().any(|c| c.contains('.') && !c.contains(',') && !grouped(c, '.'));
        let only_groups = cells().filter(|c| c.contains(',')).all(|c| grouped(c, ','));
        has_comma && !(dot_decimals && only_groups)
    }
}

/// Whether the separator groups the digits before the decimal mark in threes.
fn grouped(cell: &str, separator: char) -> bool {
    let decimal = if separator == ',' { '.' } else { ',' };
    let whole = cell
        .trim()
        .trim_start_matches('-')
        .split(decimal)
        .next()
        .unwrap_or_default();
    let mut groups = whole.split(separator);
    let digits = |g: &str| g.bytes().all(|b| b.is_ascii_digit());
    let first = groups
        .next()
        .is_some_and(|g| (1..=3).contains(&g.len()) && digits(g) && g != "0");
    first
        && groups.all(|g| g.len() == 3 && digits(g))
        && !cell
            .rsplit(decimal)
            .next()
            .is_some_and(|c| c != cell && c.contains(separator))
}

/// A cell as a number.
pub fn number(cell: &str, decimal_comma: bool) -> Number {
    let cell = cell.trim();
    // Most cells are digits with at most a point: as Locust writes them.
    let is_plain = cell.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_plain
        && !(decimal_comma && cell.contains('.'))
        && let Ok(value) = cell.parse::<f64>()
        && value.is_finite()
    {
        return Number::Known(value);
    }
    let lower = cell.to_ascii_lowercase();
    match lower.trim_start_matches(['-', '+']) {
        "" if lower.is_empty() => return Number::Unknown,
        "n/a" | "none" => return Number::Unknown,
        "nan" | "inf" | "infinity" => return Number::NotFinite,
        _ => {}
    }
    let (decimal, separator) = if decimal_comma {
        (',', '.')
    } else {
        ('.', ',')
    };
    let plain = if cell.contains(separator) {
        if !grouped(cell, separator) {
            return Number::Bad;
        }
        cell.replace(separator, "")
    } else {
        cell.to_owned()
    };
    match plain.replace(decimal, ".").parse::<f64>() {
        Ok(value) if value.is_finite() => Number::Known(value),
        _ => Number::Bad,
    }
}

/// A date with a time as an epoch second; in UTC unless it says otherwise.
fn date(cell: &str) -> Option<i64> {
    if let Ok(at) = cell.parse::<jiff::Timestamp>() {
        return Some(at.as_second());
    }
    let at: jiff::civil::DateTime = cell.parse().ok()?;
    // A day alone tells no second.
    cell.contains(':')
        .then(|| at.to_zoned(jiff::tz::TimeZone::UTC))?
        .ok()
        .map(|at| at.timestamp().as_second())
}

/// Accepts the problems if they are allowed, and counts them; otherwise shows the first few.
pub fn settle(
    file: &str,
    mut problems: Vec<Diagnostic>,
    allowance: &mut u64,
) -> Result<u64, Vec<Diagnostic>> {
    let count = problems.len() as u64;
    if count <= *allowance {
        *allowance -= count;
        return Ok(count);
    }
    if problems.len() > SHOWN {
        let more = problems.len() - SHOWN;
        problems.truncate(SHOWN);
        problems.push(
            Diagnostic::new("bad-line", format!("{more} more bad rows, {count} in all"))
                .at(Origin::file(file))
                .help("`--allow-bad-lines N` leaves up to N of them out and counts them in every report"),
        );
    }
    Err(problems)
}

/// 1234567 → `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `word` for one, `words` for others.
pub fn plural(n: u64, word: &str) -> String {
    format!("{} {word}{}", thousands(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
