//! The failures table and the exceptions table.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{Rows, Table};
use crate::tally::{Endpoint, ErrorKey};

/// One row of the failures table.
pub struct Failure {
    /// Where.
    pub endpoint: Endpoint,
    /// What.
    pub key: ErrorKey,
    /// How often.
    pub count: u64,
    /// First and last seen, epoch ms.
    pub seen: (Option<i64>, Option<i64>),
}

/// `404 Client Error: …`, plain or inside an exception's `repr`.
static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(?:\w+\(\s*['"])?([1-5][0-9][0-9]) (?:Client|Server) Error"#)
        .expect("the pattern is constant")
});

/// A failures table.
pub struct Failures {
    /// The file.
    pub file: String,
    /// Its rows.
    pub rows: Vec<Failure>,
}

/// Reads `_failures.csv`.
pub fn read(table: &Table) -> Rows<Failure> {
    let method = table.needed(&["method", "type"])?;
    let name = table.needed(&["name"])?;
    let error = table.needed(&["error"])?;
    let occurrences = table.needed(&["occurrences", "# occurrences"])?;
    let (first, last) = (table.column(&["first seen"]), table.column(&["last seen"]));
    let (mut failures, mut problems) = (Vec::new(), Vec::new());
    for row in &table.rows {
        let checked = match table.misshapen(row) {
            Some(problem) => Err(problem),
            None => table.count(row, occurrences),
        };
        match checked {
            Ok(count) => {
                let text = &row.cells[error];
                let status = STATUS.captures(text).and_then(|c| c[1].parse().ok());
                let seen = |column: Option<usize>| {
                    let at: jiff::Timestamp = row.cells.get(column?)?.trim().parse().ok()?;
                    Some(at.as_millisecond())
                };
                failures.push(Failure {
                    endpoint: Endpoint {
                        name: row.cells[name].to_owned(),
                        method: row.cells[method].to_owned(),
                    },
                    key: ErrorKey::new(status, text),
                    count,
                    seen: (seen(first), seen(last)),
                });
            }
            Err(problem) => problems.push(problem),
        }
    }
    Ok((failures, problems))
}

/// Reads `_exceptions.csv`: how often, and the message.
pub fn read_exceptions(table: &Table) -> Rows<(u64, String)> {
    let count = table.needed(&["count"])?;
    let message = table.needed(&["message"])?;
    let (mut exceptions, mut problems) = (Vec::new(), Vec::new());
    for row in &table.rows {
        match table
            .misshapen(row)
            .map_or_else(|| table.count(row, count), Err)
        {
            Ok(n) => exceptions.push((n, row.cells[message].to_owned())),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((exceptions, problems))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Category;

    #[test]
    fn status_and_times_are_found() {
        let text = "Method,Name,Error,Occurrences,First Seen,Last Seen\n\
            GET,a,HTTPError('429 Client Error: x'),2,1970-01-01T00:00:10Z,1970-01-01T00:00:11Z\n\
            GET,a,Conflict,one,,\n";
        let (failures, problems) = read(&Table::parse("f", text).unwrap()).unwrap();
        assert_eq!(failures[0].key.status, Some(429));
        assert_eq!(failures[0].key.category, Category::RateLimited);
        assert_eq!(failures[0].seen, (Some(10_000), Some(11_000)));
        assert_eq!(problems.len(), 1);
    }
}
