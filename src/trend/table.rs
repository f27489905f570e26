//! The tables of many runs. The only place that knows polars.

#![expect(
    clippy::disallowed_types,
    reason = "this file is where polars is met, behind plain data"
)]

use polars_core::prelude::{
    ChunkRollApply as _, DataFrame, Float64Chunked, IntoColumn as _, IntoSeries as _,
    NamedFrom as _, PolarsResult, RollingOptionsFixedWindow, Series,
};
use polars_ops::pivot::pivot_stable;
use polars_ops::prelude::{DataFrameJoinOps as _, JoinArgs, JoinType, MaintainOrderJoin};

/// Runs whose median is the rolling figure.
const WINDOW: usize = 5;

/// One figure: the run, the series, and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Index of the run.
    pub run: usize,
    /// Index of the series.
    pub series: usize,
    /// The value.
    pub value: f64,
}

/// One series as a column, a row for each run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// The values; `None` where the run has none.
    pub values: Vec<Option<f64>>,
    /// Median of the five runs up to each; `None` where none of them has a value.
    pub rolling: Vec<Option<f64>>,
}

/// Pivots the figures into one column for each of `series`, with a row for each of `runs`.
pub fn columns(runs: usize, series: usize, cells: &[Cell]) -> anyhow::Result<Vec<Column>> {
    if cells.is_empty() {
        return Ok(vec![Column::none(runs); series]);
    }
    let index =
        |of: fn(&Cell) -> usize| -> Vec<u32> { cells.iter().map(|c| of(c) as u32).collect() };
    let long = DataFrame::new(vec![
        Series::new("run".into(), index(|c| c.run)).into_column(),
        Series::new("series".into(), index(|c| c.series)).into_column(),
        Series::new(
            "value".into(),
            cells.iter().map(|c| c.value).collect::<Vec<_>>(),
        )
        .into_column(),
    ])?;
    let wide = pivot_stable(
        &long,
        ["series"],
        Some(["run"]),
        Some(["value"]),
        false,
        None,
        None,
    )?;
    let every_run: Vec<u32> = (0..runs as u32).collect();
    let every_run = DataFrame::new(vec![Series::new("run".into(), every_run).into_column()])?;
    let in_order = JoinArgs {
        maintain_order: MaintainOrderJoin::Left,
        ..JoinArgs::new(JoinType::Left)
    };
    let table = every_run.join(&wide, ["run"], ["run"], in_order, None)?;
    let column = |i: usize| match table.column(&i.to_string()) {
        // A series without any figure has no column.
        Err(_) => Ok(Column::none(runs)),
        Ok(found) => {
            let values = found.as_materialized_series().f64()?;
            Ok(Column {
                values: values.iter().collect(),
                rolling: rolling(values)?,
            })
        }
    };
    (0..series).map(column).collect()
}

fn rolling(values: &Float64Chunked) -> PolarsResult<Vec<Option<f64>>> {
    let options = RollingOptionsFixedWindow {
        window_size: WINDOW,
        min_periods: 1,
        ..RollingOptionsFixedWindow::default()
    };
    let median = |window: &Series| {
        let median = Float64Chunked::new("".into(), [window.median()]);
        Ok(median.into_series())
    };
    Ok(values
        .rolling_map(&median, options)?
        .f64()?
        .iter()
        .collect())
}

impl Column {
    fn none(runs: usize) -> Self {
        Self {
            values: vec![None; runs],
            rolling: vec![None; runs],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(run: usize, series: usize, value: f64) -> Cell {
        Cell { run, series, value }
    }

    #[test]
    fn a_column_for_each_series_and_a_row_for_each_run() {
        let cells = [
            cell(0, 0, 1.0),
            cell(2, 0, 3.0),
            cell(1, 1, 5.0),
            cell(2, 1, 9.0),
        ];
        let columns = columns(4, 3, &cells).unwrap();
        assert_eq!(columns[0].values, [Some(1.0), None, Some(3.0), None]);
        assert_eq!(
            columns[0].rolling,
            [Some(1.0), Some(1.0), Some(2.0), Some(2.0)]
        );
        assert_eq!(columns[1].values, [None, Some(5.0), Some(9.0), None]);
        assert_eq!(columns[1].rolling, [None, Some(5.0), Some(7.0), Some(7.0)]);
        assert_eq!(columns[2], Column::none(4));
    }

    #[test]
    fn the_order_of_the_figures_does_not_matter() {
        let mut cells: Vec<Cell> = (0..20).map(|i| cell(i % 5, i / 5, i as f64)).collect();
        let there = columns(5, 4, &cells).unwrap();
        cells.reverse();
        assert_eq!(columns(5, 4, &cells).unwrap(), there);
    }

    #[test]
    fn the_rolling_median_looks_back_five_runs() {
        let cells: Vec<Cell> = [9.0, 1.0, 2.0, 3.0, 4.0, 5.0]
            .iter()
            .enumerate()
            .map(|(run, value)| cell(run, 0, *value))
            .collect();
        let rolling = &columns(6, 1, &cells).unwrap()[0].rolling;
        assert_eq!(rolling, &[9.0, 5.0, 2.0, 2.5, 3.0, 3.0].map(Some));
    }

    #[test]
    fn no_figures_are_a_table_too() {
        assert_eq!(columns(2, 1, &[]).unwrap(), [Column::none(2)]);
    }
}
