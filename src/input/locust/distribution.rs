//! The distribution table of Locust 0.8 to 0.13.

use super::stats::Stats;
use super::text::{Number, Rows, Table};
use crate::tally::Endpoint;

/// One row: percentiles of an endpoint.
pub struct Distribution {
    /// `METHOD name`, or the name alone.
    pub name: String,
    /// Requests, if the table says.
    pub requests: Option<u64>,
    /// Quantile in millionths → milliseconds.
    pub quantiles: Vec<(u32, f64)>,
}

/// Reads `_distribution.csv`.
pub fn read(table: &Table) -> Rows<Distribution> {
    let name = table.needed(&["name"])?;
    let requests = table.column(&["# requests"]);
    let columns = table.percentiles();
    let mut problems = Vec::new();
    let mut rows = Vec::new();
    for row in &table.rows {
        if let Some(problem) = table.misshapen(row) {
            problems.push(problem);
            continue;
        }
        let mut quantiles = Vec::new();
        for (column, q) in &columns {
            match table.number(row, Some(*column)) {
                Number::Known(ms) if ms >= 0.0 => quantiles.push((*q, ms)),
                Number::Known(_) | Number::Bad => {
                    let message = format!("`{}` is not a number of 0 or more", &row.cells[*column]);
                    problems.push(table.problem(
                        row,
                        *column,
                        message,
                        "percentiles are milliseconds or `N/A`",
                    ));
                }
                Number::Unknown | Number::NotFinite => {}
            }
        }
        let counted = requests.map(|column| table.count(row, column)).transpose();
        match counted {
            Ok(requests) => rows.push(Distribution {
                name: row.cells[name].to_owned(),
                requests,
                quantiles,
            }),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((rows, problems))
}

/// Puts a distribution table's percentiles where they belong; what it says of another run's requests is left out, and told.
pub fn distribute(stats: &mut Stats, rows: &[Distribution]) -> Option<String> {
    let mut others = 0;
    let mut example = None;
    for row in rows {
        let is_named = |key: &Endpoint| key.to_string() == row.name || key.name == row.name;
        let exact = stats.rows.iter_mut().find(|(key, _)| is_named(key));
        let is_total = row.name == "Total" || row.name == "Aggregated";
        let figures = match exact {
            Some((_, figures)) => Some(figures),
            None if is_total => stats.totals.last_mut().map(|(_, figures)| figures),
            None => None,
        };
        let Some(figures) = figures.filter(|figures| figures.requests > 0) else {
            continue;
        };
        match row.requests {
            Some(requests) if requests != figures.requests => {
                others += 1;
                example.get_or_insert_with(|| {
                    format!("`{}`: {requests} to {}", row.name, figures.requests)
                });
            }
            _ => figures.quantiles.extend(row.quantiles.iter().copied()),
        }
    }
    example.map(|example| {
        format!(
            "the percentiles of {others} rows are of other requests than those of {} and were left out, such as {example}",
            stats.file
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::figures::Figures;
    use super::*;

    #[test]
    fn percentiles_go_to_the_endpoint_of_that_name() {
        let text = "\"Name\",\"# requests\",\"50%\",\"95%\"\n\"GET /a\",1,12,40\n\"GET /b\",0,\"N/A\",\"N/A\"\n\"/c\",1,x,9\n\"/d\",2,8,9\n";
        let (rows, problems) = read(&Table::parse("d.csv", text).unwrap()).unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let mut stats = Stats::default();
        for name in ["/a", "/b", "/c", "/d"] {
            let key = Endpoint {
                name: name.to_owned(),
                method: "GET".to_owned(),
            };
            let figures = Figures {
                requests: u64::from(name != "/b"),
                ..Figures::default()
            };
            stats.rows.insert(key, figures);
        }
        let note = distribute(&mut stats, &rows).unwrap();
        let known: Vec<_> = stats
            .rows
            .values()
            .map(|row| row.quantiles.clone())
            .collect();
        assert_eq!(known[0], [(500_000, 12.0), (950_000, 40.0)].into());
        assert!(known[1].is_empty());
        assert_eq!(known[2], [(950_000, 9.0)].into());
        assert!(known[3].is_empty());
        assert!(
            note.contains("1 rows are of other requests") && note.contains("`/d`: 2 to 1"),
            "{note}"
        );
    }
}
