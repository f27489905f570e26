//! The distribution table of Locust 0.8 to 0.13.

use std::collections::BTreeMap;

use super::text::{Number, Rows, Table};
use crate::tally::Tally;

/// Reads `_distribution.csv`: `METHOD name` (or the name alone) → percentiles.
pub fn read(table: &Table) -> Rows<(String, BTreeMap<u32, f64>)> {
    let name = table.needed(&["name"])?;
    let columns = table.percentiles();
    let mut problems = Vec::new();
    let mut rows = Vec::new();
    for row in &table.rows {
        if let Some(problem) = table.short(row) {
            problems.push(problem);
            continue;
        }
        let mut quantiles = BTreeMap::new();
        for (column, q) in &columns {
            match table.number(row, Some(*column)) {
                Number::Known(ms) => drop(quantiles.insert(*q, ms)),
                Number::Bad => {
                    let message = format!("`{}` is not a number", &row.cells[*column]);
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
        rows.push((row.cells[name].to_owned(), quantiles));
    }
    Ok((rows, problems))
}

/// Puts a distribution table's percentiles where they belong.
pub fn distribute(tally: &mut Tally, rows: &[(String, BTreeMap<u32, f64>)]) {
    for (name, quantiles) in rows {
        let exact = tally
            .endpoints
            .iter_mut()
            .find(|(key, _)| key.to_string() == *name || key.name == *name);
        let row = match exact {
            Some((_, row)) => Some(row),
            None if name == "Total" || name == "Aggregated" => tally.reported_total.as_mut(),
            None => None,
        };
        if let Some(row) = row.filter(|row| row.requests > 0) {
            row.reported_quantiles.extend(quantiles);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Endpoint, EndpointTally};

    #[test]
    fn percentiles_go_to_the_endpoint_of_that_name() {
        let text = "\"Name\",\"# requests\",\"50%\",\"95%\"\n\"GET /a\",3,12,40\n\"GET /b\",0,\"N/A\",\"N/A\"\n\"/c\",2,x,9\n";
        let (rows, problems) = read(&Table::parse("d.csv", text).unwrap()).unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let mut tally = Tally::default();
        for name in ["/a", "/b", "/c"] {
            let key = Endpoint {
                name: name.to_owned(),
                method: "GET".to_owned(),
            };
            let counts = EndpointTally {
                requests: u64::from(name != "/b"),
                ..EndpointTally::default()
            };
            tally.endpoints.insert(key, counts);
        }
        distribute(&mut tally, &rows);
        let known: Vec<_> = tally
            .endpoints
            .values()
            .map(|e| e.reported_quantiles.clone())
            .collect();
        let percentiles = |of: &[(u32, f64)]| of.iter().copied().collect::<BTreeMap<_, _>>();
        assert_eq!(known[0], percentiles(&[(500_000, 12.0), (950_000, 40.0)]));
        assert_eq!(known[1], percentiles(&[]));
        assert_eq!(known[2], percentiles(&[(950_000, 9.0)]));
    }
}
