"""polars: a lazy scan with a schema, collected by the streaming engine, then one query for each answer."""

import json
import sys

import numpy as np
import polars as pl

log, interval_ms, origin_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
schema = {
    "timestamp": pl.String, "method": pl.String, "name": pl.String, "response_time_ms": pl.Float64,
    "status": pl.Int64, "success": pl.Boolean, "error": pl.String, "users": pl.Int64,
}
start = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us")
requests = (
    pl.scan_ndjson(log, schema=schema)
    .select(
        (start.dt.epoch("us") // 1000).alias("ms"), "method", "name", pl.col("response_time_ms").alias("rt"), "status", "success", "error",
        "users",
    )
    .collect(engine="streaming")
)
rt, failed = pl.col("rt"), ~pl.col("success")
quantiles = [rt.quantile(q, interpolation="linear").alias(str(q)) for q in (0.5, 0.9, 0.95, 0.99, 0.999)]
figures = [
    pl.len().alias("n"), failed.sum().alias("failures"), rt.mean().alias("mean"), rt.std(ddof=0).alias("sd"),
    rt.min().alias("min"), rt.max().alias("max"), *quantiles,
]
interval = ((pl.col("ms") - origin_ms) // interval_ms).alias("i")
of_intervals = [
    pl.len().alias("n"), failed.sum().alias("failures"), pl.col("users").max(),
    *(rt.quantile(q, interpolation="linear").alias(str(q)) for q in (0.5, 0.95, 0.99)),
]
at = pl.col("ms")
run = requests.select(at.min().alias("first"), (at + rt.ceil().cast(pl.Int64)).max().alias("last"), pl.col("users").max())
statuses = requests.group_by("method", "name", "status").len()
errors = requests.filter(failed).group_by("method", "name", "status", "error").agg(
    pl.len().alias("n"), at.min().alias("first"), at.max().alias("last")
)
ms = requests["ms"].sort().to_numpy()


def peak(window_ms):
    held = np.searchsorted(ms, ms + window_ms) - np.arange(len(ms))
    first = int(held.argmax())
    start = int(ms[first])
    within = requests.filter((at >= start) & (at < start + window_ms)).group_by("method", "name").len()
    return [int(held[first]), start, {f"{m} {n}": count for m, n, count in within.iter_rows()}]


answers = {
    "run": list(run.row(0)),
    "total": list(requests.select(figures).row(0)),
    "endpoints": {f"{m} {n}": rest for m, n, *rest in requests.group_by("method", "name").agg(figures).iter_rows()},
    "statuses": [[f"{m} {n}", *rest] for m, n, *rest in statuses.iter_rows()],
    "errors": [[f"{m} {n}", *rest] for m, n, *rest in errors.iter_rows()],
    "peaks": {str(s): peak(s * 1000) for s in (1, 10, 60)},
    "intervals": requests.group_by(interval).agg(of_intervals).sort("i").rows(),
}
json.dump(answers, sys.stdout)
