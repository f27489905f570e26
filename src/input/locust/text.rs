//! Bytes to text, text to rows with places, cells to numbers.

use encoding_rs::{EUC_KR, Encoding, GBK, WINDOWS_1252};

use crate::diagnostic::{Diagnostic, Origin, Snippet};

/// Most problems of one file that are shown one by one.
const SHOWN: usize = 5;

const WHOLE: &str = "counts are whole numbers of 0 or more";
const CUT: &str = "the file looks cut off; copy it again after Locust has ended";

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

/// Decodes a file: UTF-8, UTF-16 by its mark, else CP949, GBK or Windows-1252; the note names a guessed encoding.
pub fn decode(file: &str, bytes: &[u8]) -> (String, Option<String>) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return (text.into_owned(), None);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), None);
    }
    if hangul(bytes)
        && let Some(text) = EUC_KR.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return (
            text.into_owned(),
            Some(format!("{file} is not UTF-8; it was read as CP949")),
        );
    }
    let gbk = GBK.decode_without_bom_handling_and_without_replacement(bytes);
    let (text, name) = match gbk {
        Some(text)
            if paired(bytes) && text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) =>
        {
            (text, "GBK")
        }
        _ => (
            WINDOWS_1252.decode_without_bom_handling(bytes).0,
            "Windows-1252",
        ),
    };
    (
        text.into_owned(),
        Some(format!("{file} is not UTF-8; it was read as {name}")),
    )
}

/// Whether at least eight pairs of bytes above 0x7f all begin as Hangul does; Chinese text goes beyond that range.
fn hangul(bytes: &[u8]) -> bool {
    let runs = || bytes.split(u8::is_ascii).filter(|run| !run.is_empty());
    let pairs: usize = runs().map(|run| run.len() / 2).sum();
    pairs >= 8
        && runs().all(|run| {
            run.chunks(2)
                .all(|pair| pair.len() == 2 && (0xb0..=0xc8).contains(&pair[0]))
        })
}

/// Whether most runs of bytes above 0x7f are of even length, as in Chinese text, unlike single accented letters.
fn paired(bytes: &[u8]) -> bool {
    let runs = bytes
        .split(u8::is_ascii)
        .map(<[u8]>::len)
        .filter(|len| *len > 0);
    let (even, odd) = runs.fold((0, 0), |(even, odd), len| {
        if len % 2 == 0 {
            (even + 1, odd)
        } else {
            (even, odd + 1)
        }
    });
    even > odd
}

/// The header's cells, lower case, and the delimiter.
pub fn header(text: &str) -> (Vec<String>, u8) {
    let line = text
        .trim_start_matches(['\n', '\r'])
        .lines()
        .next()
        .unwrap_or_default();
    let count = |c: char| line.matches(c).count();
    let delimiter = if count(';') > count(',').max(count('\t')) {
        b';'
    } else if count('\t') > count(',') {
        b'\t'
    } else {
        b','
    };
    let cells = line
        .split(char::from(delimiter))
        .map(|cell| cell.trim().trim_matches('"').trim().to_lowercase())
        .collect();
    (cells, delimiter)
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

    /// What is wrong with a row that has too few cells.
    pub fn short(&self, row: &Row) -> Option<Diagnostic> {
        let (has, wants) = (row.cells.len(), self.width());
        (has < wants)
            .then(|| self.problem(row, has, format!("the row has {has} of {wants} cells"), CUT))
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
        Ok(table)
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
mod tests {
    use super::*;

    #[test]
    fn numbers_are_never_ten_times_too_large() {
        assert_eq!(
            number("159,80037360007356", true),
            Number::Known(159.800_373_600_073_56)
        );
        assert_eq!(number("1.234,5", true), Number::Known(1234.5));
        assert_eq!(number("2,813", false), Number::Known(2813.0));
        assert_eq!(number("28,13", false), Number::Bad);
        assert_eq!(number("N/A", false), Number::Unknown);
        assert_eq!(number("-inf", false), Number::NotFinite);
        assert_eq!(number("-", false), Number::Bad);
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(decode("f", b"\xef\xbb\xbfa").0, "a");
        assert_eq!(decode("f", b"\xff\xfea\0").0, "a");
        let (text, note) = decode("f", b"n\x92a pu");
        assert_eq!(text, "n’a pu");
        assert!(note.is_some_and(|n| n.contains("Windows-1252")));
        assert_eq!(decode("f", b"\xd6\xd0\xce\xc4").0, "中文");
    }

    #[test]
    fn lines_are_right_after_cr_cr_lf_and_quoted_line_ends() {
        let table = Table::parse("f", "A,B\r\r\n\"x\r\r\ny\",1\r\r\nz,bad\r\r\n").unwrap();
        assert_eq!(table.rows.len(), 2);
        let shown = table.problem(&table.rows[1], 1, "m".into(), "h");
        assert_eq!(shown.origin, Some(Origin::at("f", 4, 3)));
        assert_eq!(shown.snippet.map(|s| s.text), Some("z,bad".into()));
    }
}
