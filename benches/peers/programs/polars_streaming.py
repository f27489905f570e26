"""polars: a lazy scan with a schema, collected by the streaming engine, then one query for each answer."""

import json
import sys

import numpy as np
import polars as pl

log, interval_ms, origin_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
schema = {
    "timestamp": pl.String, "method": pl.String, "name": pl.String, "response_time_ms": pl.Float64,
    "status": pl.Int64, "success": pl.Boolean, "error": pl.String,
}
start = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us")
requests = (
    pl.scan_ndjson(log, schema=schema)
    .select(
        (start.dt.epoch("us") // 1000).alias("ms"), "method", "name", pl.col("response_time_ms").alias("rt"), "status", "success", "error"
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
of_intervals = [pl.len().alias("n"), failed.sum().alias("failures"), rt.quantile(0.95, interpolation="linear").alias("p95")]
ms = requests["ms"].sort().to_numpy()
counts = lambda frame, key: dict(frame.group_by(key).len().with_columns(pl.col(key).cast(pl.String)).iter_rows())
answers = {
    "total": list(requests.select(figures).row(0)),
    "endpoints": {f"{m} {n}": rest for m, n, *rest in requests.group_by("method", "name").agg(figures).iter_rows()},
    "intervals": requests.group_by(interval).agg(of_intervals).sort("i").rows(),
    "peak_60s": int((np.searchsorted(ms, ms + 60_000) - np.arange(len(ms))).max()),
    "statuses": counts(requests, "status"),
    "errors": counts(requests.filter(failed), "error"),
}
json.dump(answers, sys.stdout)
