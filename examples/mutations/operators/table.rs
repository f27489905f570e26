//! What can be done to tables as cells, rows and columns.

use super::super::random::Random;
use super::{Mutation, Operator, harmful, harmless, tables};

/// All of them.
pub fn all() -> Vec<Operator> {
    vec![
        harmful("drop-column", tables, |m| on_table(m, drop_column)),
        harmful("rename-column", tables, |m| on_table(m, rename_column)),
        harmful("duplicate-column", tables, |m| {
            on_table(m, duplicate_column)
        }),
        harmful("swap-headers", tables, |m| on_table(m, swap_headers)),
        harmful("swap-cells", tables, |m| on_table(m, swap_cells)),
        harmless("move-column", tables, |m| on_table(m, move_column)),
        harmful("shift-row-left", tables, |m| on_table(m, shift_left)),
        harmful("shift-row-right", tables, |m| on_table(m, shift_right)),
        harmful("shift-rows-left", tables, |m| on_table(m, shift_all)),
        harmful("extra-cell", tables, |m| on_table(m, extra_cell)),
        harmful("zero-cell", tables, |m| {
            on_cell(m, |_| Some("0".to_owned()))
        }),
        harmful("zero-column", tables, |m| {
            on_column(m, |_| Some("0".to_owned()))
        }),
        harmful("blank-cell", tables, |m| {
            on_cell(m, |_| Some(String::new()))
        }),
        harmful("blank-column", tables, |m| {
            on_column(m, |_| Some(String::new()))
        }),
        harmful("not-available-column", tables, |m| {
            on_column(m, |_| Some("N/A".to_owned()))
        }),
        harmful("seconds-for-milliseconds-cell", tables, |m| {
            on_cell(m, |v| scaled(v, 1e-3))
        }),
        harmful("seconds-for-milliseconds-column", tables, |m| {
            on_column(m, |v| scaled(v, 1e-3))
        }),
        harmful("times-a-thousand-cell", tables, |m| {
            on_cell(m, |v| scaled(v, 1e3))
        }),
        harmful("times-a-thousand-column", tables, |m| {
            on_column(m, |v| scaled(v, 1e3))
        }),
        harmful("halve-cell", tables, |m| on_cell(m, |v| scaled(v, 0.5))),
        harmful("halve-column", tables, |m| on_column(m, |v| scaled(v, 0.5))),
        harmful("halve-percentiles", tables, |m| {
            on_table(m, halve_percentiles)
        }),
        harmful("negate-cell", tables, |m| on_cell(m, |v| scaled(v, -1.0))),
        harmful("negate-column", tables, |m| {
            on_column(m, |v| scaled(v, -1.0))
        }),
        harmful("nan-cell", tables, |m| {
            on_cell(m, |_| Some("NaN".to_owned()))
        }),
        harmful("inf-column", tables, |m| {
            on_column(m, |_| Some("inf".to_owned()))
        }),
        harmful("exponent-cell", tables, |m| on_cell(m, exponent)),
        harmful("thousands-separators", tables, |m| on_column(m, thousands)),
        harmful("decimal-comma", tables, |m| on_column(m, decimal_comma)),
        harmful("unit-in-cell", tables, |m| {
            on_cell(m, |v| Some(format!("{v} ms")))
        }),
        harmful("percent-in-cell", tables, |m| {
            on_cell(m, |v| Some(format!("{v}%")))
        }),
        harmful("semicolons", tables, |m| delimited(m, b';')),
        harmful("tabs", tables, |m| delimited(m, b'\t')),
        harmful("drop-total", tables, |m| on_table(m, drop_total)),
        harmful("repeat-total", tables, |m| on_table(m, repeat_total)),
        harmful("total-first", tables, |m| on_table(m, total_first)),
        harmful("rename-endpoint", tables, |m| on_table(m, rename_endpoint)),
        harmful("swap-endpoints", tables, |m| on_table(m, swap_endpoints)),
        harmful("call-it-total", tables, |m| on_table(m, call_it_total)),
        harmful("drop-slowest-row", tables, |m| on_table(m, drop_slowest)),
        harmful("repeat-row", tables, |m| on_table(m, repeat_row)),
        harmful("total-of-noughts", tables, |m| on_table(m, total_of_zero)),
    ]
}

/// A table as texts.
struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let mut rows = reader
            .records()
            .map(|record| Some(record.ok()?.iter().map(str::to_owned).collect()))
            .collect::<Option<Vec<Vec<String>>>>()?;
        (rows.len() > 1).then(|| Self {
            head: rows.remove(0),
            rows,
        })
    }

    fn write(&self, delimiter: u8) -> Option<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .delimiter(delimiter)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        writer.write_record(&self.head).ok()?;
        for row in &self.rows {
            writer.write_record(row).ok()?;
        }
        writer.into_inner().ok()
    }

    /// A column of figures: those that gates ask for, as a rule.
    fn figures(&self, random: &mut Random) -> Option<usize> {
        let is_number = |cell: &String| cell.parse::<f64>().is_ok();
        let numbers: Vec<usize> = (0..self.head.len())
            .filter(|c| {
                self.rows
                    .iter()
                    .any(|row| row.get(*c).is_some_and(is_number))
            })
            .collect();
        let asked = [
            "count", "average", "max", "95%", "99%", "50%", "/s", "# ", "user",
        ];
        let weighty: Vec<usize> = numbers
            .iter()
            .copied()
            .filter(|c| {
                let name = self.head[*c].to_lowercase();
                asked.iter().any(|part| name.contains(part))
            })
            .collect();
        if weighty.is_empty() || random.once_in(4) {
            return random.pick(&numbers).copied();
        }
        random.pick(&weighty).copied()
    }

    /// The place of the total: the last row that is called so.
    fn total(&self) -> Option<usize> {
        let is_total = |row: &Vec<String>| {
            let all = ["Aggregated", "Total"];
            row.iter().take(4).any(|cell| all.contains(&cell.as_str()))
        };
        self.rows.iter().rposition(is_total)
    }

    /// Any row; every other time the total.
    fn row(&self, random: &mut Random) -> usize {
        let total = self.total().filter(|_| random.once_in(2));
        total.unwrap_or_else(|| random.below(self.rows.len()))
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.head.iter().position(|h| h.to_lowercase() == name)
    }
}

/// Changes one table of the set.
fn on_table(
    m: &mut Mutation<'_>,
    change: fn(&mut Table, &mut Random) -> Option<String>,
) -> Option<String> {
    on_table_as(m, b',', change)
}

fn on_table_as(
    m: &mut Mutation<'_>,
    delimiter: u8,
    change: impl Fn(&mut Table, &mut Random) -> Option<String>,
) -> Option<String> {
    let stats = m.files.iter().position(|f| f.name == "run_stats.csv");
    let all: Vec<usize> = (0..m.files.len())
        .filter(|i| m.files[*i].is_table())
        .collect();
    let any = m.random.pick(&all).copied();
    let at = stats.filter(|_| !m.random.once_in(3)).or(any)?;
    let file = &mut m.files[at];
    let mut table = Table::read(&file.bytes)?;
    let before = table.write(b',')?;
    let said = change(&mut table, &mut m.random)?;
    let bytes = table.write(delimiter)?;
    (bytes != before).then(|| {
        file.bytes = bytes;
        format!("{}: {said}", file.name)
    })
}

fn on_cell(m: &mut Mutation<'_>, change: fn(&str) -> Option<String>) -> Option<String> {
    on_table_as(m, b',', |table, random| {
        let column = table.figures(random)?;
        let row = table.row(random);
        let cell = table.rows.get_mut(row)?.get_mut(column)?;
        let to = change(cell)?;
        let said = format!(
            "`{}` of row {}: {cell} is {to}",
            table.head[column],
            row + 1
        );
        *cell = to;
        Some(said)
    })
}

fn on_column(m: &mut Mutation<'_>, change: fn(&str) -> Option<String>) -> Option<String> {
    on_table_as(m, b',', |table, random| {
        let column = table.figures(random)?;
        let mut example = None;
        for row in &mut table.rows {
            let Some(cell) = row.get_mut(column) else {
                continue;
            };
            let Some(to) = change(cell) else { continue };
            example = Some(format!("{cell} is {to}"));
            *cell = to;
        }
        Some(format!(
            "the whole of `{}`: {}",
            table.head[column], example?
        ))
    })
}

fn scaled(cell: &str, factor: f64) -> Option<String> {
    let value: f64 = cell.parse().ok()?;
    Some((value * factor).to_string())
}

fn exponent(cell: &str) -> Option<String> {
    let value: f64 = cell.parse().ok()?;
    Some(format!("{value:e}"))
}

fn thousands(cell: &str) -> Option<String> {
    let value: f64 = cell.parse().ok()?;
    let whole = value.trunc() as i64;
    (whole >= 1000).then(|| format!("{},{:03}", whole / 1000, whole % 1000))
}

fn decimal_comma(cell: &str) -> Option<String> {
    cell.parse::<f64>().ok()?;
    cell.contains('.').then(|| cell.replace('.', ","))
}

fn delimited(m: &mut Mutation<'_>, delimiter: u8) -> Option<String> {
    on_table_as(m, delimiter, |_, _| Some("another delimiter".to_owned()))
}

fn drop_column(table: &mut Table, random: &mut Random) -> Option<String> {
    let column = table.figures(random)?;
    let name = table.head.remove(column);
    for row in table.rows.iter_mut().filter(|row| column < row.len()) {
        row.remove(column);
    }
    Some(format!("without `{name}`"))
}

fn rename_column(table: &mut Table, random: &mut Random) -> Option<String> {
    let column = table.figures(random)?;
    let name = table.head[column].clone();
    let snake = name.to_lowercase().replace([' ', '/'], "_");
    let all = [
        snake,
        format!("{name} (s)"),
        format!("my {name}"),
        name.to_uppercase(),
    ];
    table.head[column].clone_from(random.pick(&all)?);
    Some(format!("`{name}` is called `{}`", table.head[column]))
}

fn duplicate_column(table: &mut Table, random: &mut Random) -> Option<String> {
    let column = table.figures(random)?;
    let at = random.below(table.head.len() + 1);
    let name = table.head[column].clone();
    table.head.insert(at, name.clone());
    for row in &mut table.rows {
        row.insert(at.min(row.len()), "1".to_owned());
    }
    Some(format!("a second `{name}` of ones"))
}

fn swap_headers(table: &mut Table, random: &mut Random) -> Option<String> {
    let (a, b) = (table.figures(random)?, table.figures(random)?);
    table.head.swap(a, b);
    Some(format!(
        "`{}` and `{}` have changed names",
        table.head[a], table.head[b]
    ))
}

fn swap_cells(table: &mut Table, random: &mut Random) -> Option<String> {
    let (a, b) = (table.figures(random)?, table.figures(random)?);
    let at = table.row(random);
    let row = table.rows.get_mut(at)?;
    (a < row.len() && b < row.len()).then(|| row.swap(a, b))?;
    Some(format!(
        "row {}: `{}` and `{}` swapped",
        at + 1,
        table.head[a],
        table.head[b]
    ))
}

fn move_column(table: &mut Table, random: &mut Random) -> Option<String> {
    let from = random.below(table.head.len());
    let whole = table.rows.iter().all(|row| row.len() == table.head.len());
    if !whole {
        return None;
    }
    let name = table.head.remove(from);
    let to = random.below(table.head.len() + 1);
    table.head.insert(to, name.clone());
    for row in &mut table.rows {
        let cell = row.remove(from);
        row.insert(to, cell);
    }
    Some(format!("`{name}` in another place"))
}

fn shift_left(table: &mut Table, random: &mut Random) -> Option<String> {
    let at = table.row(random);
    let row = table.rows.get_mut(at)?;
    let from = 1 + random.below(row.len());
    (from < row.len()).then(|| row.remove(from))?;
    row.push(String::new());
    Some(format!(
        "row {}: cells from {} on a column to the left",
        at + 1,
        from + 1
    ))
}

fn shift_right(table: &mut Table, random: &mut Random) -> Option<String> {
    let at = table.row(random);
    let row = table.rows.get_mut(at)?;
    let from = 1 + random.below(row.len());
    row.insert(from.min(row.len()), "0".to_owned());
    if random.once_in(2) {
        row.pop();
    }
    Some(format!(
        "row {}: cells from {} on a column to the right",
        at + 1,
        from + 1
    ))
}

fn shift_all(table: &mut Table, random: &mut Random) -> Option<String> {
    let from = 2 + random.below(table.head.len());
    for row in table.rows.iter_mut().filter(|row| from < row.len()) {
        row.remove(from);
        row.push(String::new());
    }
    Some(format!(
        "all cells from {} on a column to the left",
        from + 1
    ))
}

fn extra_cell(table: &mut Table, random: &mut Random) -> Option<String> {
    let at = table.row(random);
    table.rows.get_mut(at)?.push("7".to_owned());
    Some(format!(
        "row {}: a cell more than there are columns",
        at + 1
    ))
}

fn halve_percentiles(table: &mut Table, random: &mut Random) -> Option<String> {
    let at = table.row(random);
    let columns: Vec<usize> = (0..table.head.len())
        .filter(|c| table.head[*c].ends_with('%') || table.head[*c].contains("99.999"))
        .collect();
    let row = table.rows.get_mut(at)?;
    for column in columns {
        let cell = row.get_mut(column)?;
        if let Some(half) = scaled(cell, 0.5) {
            *cell = half;
        }
    }
    Some(format!("row {}: all percentiles halved", at + 1))
}

fn drop_total(table: &mut Table, _: &mut Random) -> Option<String> {
    let at = table.total()?;
    table.rows.remove(at);
    Some(format!("without the total in row {}", at + 1))
}

fn repeat_total(table: &mut Table, random: &mut Random) -> Option<String> {
    let at = table.total()?;
    let mut total = table.rows[at].clone();
    if random.once_in(2) {
        for cell in &mut total {
            if let Some(half) = scaled(cell, 0.5) {
                *cell = half;
            }
        }
    }
    table.rows.push(total);
    Some("a second total".to_owned())
}

fn total_first(table: &mut Table, _: &mut Random) -> Option<String> {
    let at = table.total()?;
    let total = table.rows.remove(at);
    table.rows.insert(0, total);
    Some("the total first".to_owned())
}

fn name_column(table: &Table) -> Option<usize> {
    table.column("name")
}

fn rename_endpoint(table: &mut Table, random: &mut Random) -> Option<String> {
    let column = name_column(table)?;
    let at = random.below(table.rows.len());
    let cell = table.rows.get_mut(at)?.get_mut(column)?;
    let said = format!("row {}: `{cell}` is called `other`", at + 1);
    "other".clone_into(cell);
    Some(said)
}

fn swap_endpoints(table: &mut Table, random: &mut Random) -> Option<String> {
    let column = name_column(table)?;
    let (a, b) = (
        random.below(table.rows.len()),
        random.below(table.rows.len()),
    );
    let name = table.rows.get(a)?.get(column)?.clone();
    let other = table.rows.get(b)?.get(column)?.clone();
    table.rows[a][column] = other;
    table.rows[b][column] = name;
    Some(format!("rows {} and {} have changed names", a + 1, b + 1))
}

fn call_it_total(table: &mut Table, random: &mut Random) -> Option<String> {
    let column = name_column(table)?;
    let at = random.below(table.rows.len());
    let row = table.rows.get_mut(at)?;
    let said = format!(
        "row {}: `{}` is called `Aggregated`",
        at + 1,
        row.get(column)?
    );
    "Aggregated".clone_into(row.get_mut(column)?);
    Some(said)
}

fn drop_slowest(table: &mut Table, _: &mut Random) -> Option<String> {
    let column = table.column("average response time")?;
    let total = table.total();
    let time = |row: &Vec<String>| row.get(column).and_then(|c| c.parse::<f64>().ok());
    let slowest = (0..table.rows.len())
        .filter(|i| Some(*i) != total)
        .max_by(|a, b| {
            let of = |i: &usize| time(&table.rows[*i]).unwrap_or(0.0);
            of(a).total_cmp(&of(b))
        })?;
    table.rows.remove(slowest);
    Some(format!("without its slowest row, {}", slowest + 1))
}

fn repeat_row(table: &mut Table, random: &mut Random) -> Option<String> {
    let at = random.below(table.rows.len());
    let row = table.rows.get(at)?.clone();
    table.rows.insert(at, row);
    Some(format!("row {} twice", at + 1))
}

/// A total row of noughts, as a run has before its first request.
fn total_of_zero(table: &mut Table, _: &mut Random) -> Option<String> {
    let at = table.total()?;
    for cell in &mut table.rows[at] {
        if cell.parse::<f64>().is_ok() {
            "0".clone_into(cell);
        }
    }
    Some("a total of noughts".to_owned())
}
