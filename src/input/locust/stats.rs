//! The statistics table; that of Locust 0.8 to 0.13 is `_requests.csv`.

use std::collections::BTreeMap;

use super::figures::{Columns, Figures};
use super::text::Table;
use crate::diagnostic::Diagnostic;
use crate::tally::{Endpoint, Tally};

/// One statistics table, as it stands in its file.
#[derive(Default)]
pub struct Stats {
    /// The file.
    pub file: String,
    /// A row of each endpoint.
    pub rows: BTreeMap<Endpoint, Figures>,
    /// The total rows, with their lines; a sound table has one.
    pub totals: Vec<(u64, Figures)>,
    /// Whether the header is that of Locust 0.8 to 0.13, of which some do not count failures as requests.
    pub is_old: bool,
    /// What was wrong with rows that were left out.
    pub problems: Vec<Diagnostic>,
    /// Sentences for the reader.
    pub notes: Vec<String>,
}

/// Whether a row is the total's. An endpoint may be called so, too, but it has a type.
pub fn is_total(kind: &str, name: &str) -> bool {
    matches!(kind.trim(), "" | "None") && matches!(name, "Aggregated" | "Total")
}

/// Reads `_stats.csv` (`_requests.csv` up to 0.13).
pub fn read(table: &Table) -> Result<Stats, Diagnostic> {
    let kind = table.needed(&["type", "method"])?;
    let name = table.needed(&["name"])?;
    let columns = Columns::find(table)?;
    let is_old = table.column(&["method"]).is_some() && table.column(&["# requests"]).is_some();
    let mut stats = Stats {
        file: table.file.clone(),
        is_old,
        ..Stats::default()
    };
    let mut lines: BTreeMap<Endpoint, u64> = BTreeMap::new();
    let mut not_finite = 0;
    for row in &table.rows {
        let figures = match table.misshapen(row) {
            Some(problem) => Err(problem),
            None => columns.read(table, row, &mut not_finite),
        };
        let figures = match figures {
            Ok(figures) => figures,
            Err(problem) => {
                stats.problems.push(problem);
                continue;
            }
        };
        let line = table.line(row);
        if is_total(&row.cells[kind], &row.cells[name]) {
            stats.totals.push((line, figures));
            continue;
        }
        let key = Endpoint {
            name: row.cells[name].to_owned(),
            method: row.cells[kind].to_owned(),
        };
        if let Some(first) = lines.get(&key) {
            let message =
                format!("`{key}` is in the table twice: on line {first} and on line {line}");
            stats.problems.push(table.problem(
                row,
                name,
                message,
                "one row per type and name; remove one of the two",
            ));
            continue;
        }
        lines.insert(key.clone(), line);
        stats.rows.insert(key, figures);
    }
    if not_finite > 0 {
        stats.notes.push(format!(
            "{}: {not_finite} cells say nan or inf and count as unknown",
            table.file
        ));
    }
    if stats.rows.is_empty() && stats.totals.is_empty() {
        stats.notes.push(format!(
            "{} has no rows: there were no requests, or the file is incomplete",
            table.file
        ));
    }
    Ok(stats)
}

impl Stats {
    /// Rows used.
    pub fn records(&self) -> u64 {
        (self.rows.len() + self.totals.len()) as u64
    }

    /// The total row; of several the last.
    pub fn total(&self) -> Option<&Figures> {
        self.totals.last().map(|(_, figures)| figures)
    }

    /// Every row, the total's last; that one has no endpoint.
    pub fn each(&self) -> impl Iterator<Item = (Option<&Endpoint>, &Figures)> {
        let rows = self.rows.iter().map(|(key, row)| (Some(key), row));
        rows.chain(self.total().map(|total| (None, total)))
    }

    /// Requests of the run: those of the total row, or the sum of the others.
    pub fn requests(&self) -> u64 {
        let sum = || self.rows.values().map(|row| row.requests).sum();
        self.total().map_or_else(sum, |total| total.requests)
    }

    /// Failures of the run.
    pub fn failures(&self) -> u64 {
        let sum = || self.rows.values().map(|row| row.failures).sum();
        self.total().map_or_else(sum, |total| total.failures)
    }

    /// The counts, and what is to be said of how they were taken.
    pub fn tally(&self) -> (Tally, Option<String>) {
        let rows = self.rows.iter();
        let mut tally = Tally {
            endpoints: rows.map(|(key, row)| (key.clone(), row.tally())).collect(),
            reported_total: self.total().map(Figures::tally),
            ..Tally::default()
        };
        let note = self.is_old.then(|| self.add_uncounted_failures(&mut tally));
        (tally, note.flatten())
    }

    /// Locust up to 0.9 left failures out of the counts; the header is the same until 0.13.
    fn add_uncounted_failures(&self, tally: &mut Tally) -> Option<String> {
        let rows = tally.endpoints.values_mut();
        let mut rows: Vec<_> = rows.chain(&mut tally.reported_total).collect();
        let file = &self.file;
        if rows.iter().any(|row| row.failures > row.requests) {
            for row in &mut rows {
                row.requests += row.failures;
                row.untimed += row.failures;
                (row.without_start, row.without_status) = (row.requests, row.requests);
            }
            return Some(format!(
                "{file} has more failures than requests: it is of Locust 0.9 or older, which does not count failures as \
                 requests; they were added, but response times and rates leave them out"
            ));
        }
        rows.iter().any(|row| row.failures > 0).then(|| {
            format!(
                "{file} is of Locust 0.8 to 0.13; up to 0.9 its counts and response times leave failures out, which the \
                 table does not tell; they were taken to be included"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,\
        Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,50%,7.0%,99.999,100%";

    fn parse(rows: &str) -> Stats {
        read(&Table::parse("s.csv", &format!("{HEAD}\n{rows}")).unwrap()).unwrap()
    }

    #[test]
    fn an_endpoint_may_be_called_aggregated() {
        let read = parse(
            "GET,Aggregated,2,1,10,10.5,9,12,3,1,0,10,9,12,12\n,Aggregated,\"2,813\",1,10,10.5,9,12,3,1,0,10,9,12,12\n",
        );
        assert_eq!(read.rows.len(), 1);
        let total = read.tally().0.reported_total.unwrap();
        assert_eq!(total.requests, 2813);
        assert_eq!(
            total.reported_quantiles.keys().copied().collect::<Vec<_>>(),
            [70_000, 500_000, 999_990, 1_000_000]
        );
    }

    #[test]
    fn bad_cells_short_and_double_rows_have_places() {
        let read = parse(
            "GET,a,2.5,0,1,1,1,1,1,1,1,1,1,1,1\nGET,b,2,0,1,nan,1,1,1,inf,1,1,1,1,N/A\nGET,b,2,0,1,1,1,1,1,1,1,1,1,1,1\nGET,c,2,0,1",
        );
        let places: Vec<_> = read.problems.iter().map(Diagnostic::short).collect();
        assert!(
            places[0].starts_with("s.csv:2:7: error[bad-line]: `2.5` is not a count"),
            "{places:?}"
        );
        assert!(places[1].contains("on line 3 and on line 4"), "{places:?}");
        assert!(
            places[2].starts_with("s.csv:5:12: error[bad-line]: the row has 5 of 15 cells"),
            "{places:?}"
        );
        let b = &read.rows[&Endpoint {
            name: "b".to_owned(),
            method: "GET".to_owned(),
        }];
        assert_eq!((b.average, b.requests_per_s), (None, None));
        assert_eq!(read.notes.len(), 1);
    }

    #[test]
    fn decimal_commas_are_read() {
        let text = "Type;Name;Request Count;Failure Count;Average Response Time\nGET;a;2813;1;159,800\n;Aggregated;2813;1;159,8\n";
        let read = read(&Table::parse("s", text).unwrap()).unwrap();
        assert_eq!(
            read.tally().0.reported_total.unwrap().reported_sum_us,
            Some(159.8 * 1e3 * 2813.0)
        );
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = read(&Table::parse("s", "Name,Request Count\n").unwrap())
            .err()
            .unwrap();
        assert_eq!(error.code, "bad-header");
    }

    #[test]
    fn failures_outside_the_counts_are_added() {
        let text = "\"Method\",\"Name\",\"# requests\",\"# failures\"\n\"GET\",\"a\",1,2\n\"None\",\"Total\",1,2";
        let read = read(&Table::parse("s", text).unwrap()).unwrap();
        let (tally, note) = read.tally();
        let total = tally.reported_total.unwrap();
        // The two failures have no times.
        assert_eq!((total.requests, total.timed()), (3, 1));
        assert!(note.unwrap().contains("0.9 or older"));
    }

    #[test]
    fn the_total_may_stand_anywhere() {
        let read = parse(
            ",Aggregated,3,0,10,10,9,12,3,1,0,10,9,12,12\nGET,a,3,0,10,10,9,12,3,1,0,10,9,12,12\n",
        );
        assert_eq!((read.rows.len(), read.totals.len()), (1, 1));
        assert_eq!(read.totals[0].0, 2);
    }
}
