//! Places, shapes, numbers and moments.

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
fn moments_are_epoch_seconds_or_dates() {
    let text = "Timestamp\n1790000000\n1790000000.7\n2026-09-21 14:13:20\n2026-09-21T14:13:20Z\n1.79E+09\n1790000000000\n2026-09-21\n-5\n";
    let table = Table::parse("h.csv", text).unwrap();
    let seconds: Vec<_> = table
        .rows
        .iter()
        .map(|row| table.second(row, 0).ok())
        .collect();
    assert_eq!(seconds[..4], [Some(1_790_000_000); 4]);
    assert_eq!(seconds[4..], [None; 4]);
}

#[test]
fn what_a_spreadsheet_adds_is_no_data() {
    let text = ",,,\nName,Request Count,,\na,1,,\n,,,\nb,2\n";
    let table = Table::parse("s.csv", text).unwrap();
    let names: Vec<_> = table.rows.iter().map(|row| &row.cells[0]).collect();
    assert_eq!((names, table.width()), (vec!["a", "b"], 2));
    assert!(table.rows.iter().all(|row| table.misshapen(row).is_none()));
    assert_eq!(table.line(&table.rows[1]), 5);
}

#[test]
fn rows_of_another_shape_have_places() {
    let text = "Type,Name,Request Count\nGET,a,b,1\nType,Name,\nGET,a\n";
    let table = Table::parse("s.csv", text).unwrap();
    let said: Vec<_> = table
        .rows
        .iter()
        .filter_map(|row| Some(table.misshapen(row)?.short()))
        .collect();
    assert!(
        said[0]
            .starts_with("s.csv:2:9: error[bad-line]: the row has 4 cells, the header 3 columns"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("s.csv:3:1: error[bad-line]: the header stands here again"),
        "{said:?}"
    );
    assert!(
        said[2].starts_with("s.csv:4:6: error[bad-line]: the row has 2 of 3 cells"),
        "{said:?}"
    );
}

#[test]
fn a_column_is_named_once() {
    for header in [
        "Name,50%,95%,50%",
        "Name,95%,95.0%",
        "Name,Request Count,request count",
    ] {
        let error = Table::parse("s.csv", &format!("{header}\n")).err().unwrap();
        assert_eq!(error.code, "bad-header", "{header}");
    }
}

#[test]
fn lines_are_right_after_cr_cr_lf_and_quoted_line_ends() {
    let table = Table::parse("f", "A,B\r\r\n\"x\r\r\ny\",1\r\r\nz,bad\r\r\n").unwrap();
    assert_eq!(table.rows.len(), 2);
    let shown = table.problem(&table.rows[1], 1, "m".into(), "h");
    assert_eq!(shown.origin, Some(Origin::at("f", 4, 3)));
    assert_eq!(shown.snippet.map(|s| s.text), Some("z,bad".into()));
}
