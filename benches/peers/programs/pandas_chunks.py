"""pandas: the log read in chunks, only the columns that are needed kept, then grouped."""

import json
import sys

import numpy as np
import pandas as pd

log, interval_ms, origin_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
columns = ["timestamp", "method", "name", "response_time_ms", "status", "success", "error", "users"]
chunks = [chunk[columns] for chunk in pd.read_json(log, lines=True, chunksize=200_000, dtype=False)]
requests = pd.concat(chunks, ignore_index=True).rename(columns={"response_time_ms": "rt"})
start = pd.to_datetime(requests["timestamp"], format="ISO8601", utc=True)
requests["ms"] = start.dt.as_unit("us").astype("int64") // 1000
requests["failed"] = ~requests["success"].astype(bool)
quantiles = [0.5, 0.9, 0.95, 0.99, 0.999]


def row(group):
    rt = group["rt"]
    figures = [rt.mean(), rt.std(ddof=0), rt.min(), rt.max(), *rt.quantile(quantiles)]
    return [len(group), int(group["failed"].sum()), *map(float, figures)]


def interval(i, group):
    return [int(i), len(group), int(group["failed"].sum()), int(group["users"].max()), *map(float, group["rt"].quantile([0.5, 0.95, 0.99]))]


def peak(window_ms):
    held = np.searchsorted(ms, ms + window_ms) - np.arange(len(ms))
    first = int(held.argmax())
    start = int(ms[first])
    within = requests[(requests["ms"] >= start) & (requests["ms"] < start + window_ms)]
    return [int(held[first]), start, {f"{m} {n}": int(count) for (m, n), count in within.groupby(["method", "name"]).size().items()}]


ms = np.sort(requests["ms"].to_numpy())
failures = requests[requests["failed"]].groupby(["method", "name", "status", "error"])["ms"].agg(["size", "min", "max"])
statuses = requests.groupby(["method", "name", "status"]).size()
answers = {
    "run": [int(ms[0]), int((requests["ms"] + np.ceil(requests["rt"]).astype("int64")).max()), int(requests["users"].max())],
    "total": row(requests),
    "endpoints": {f"{m} {n}": row(group) for (m, n), group in requests.groupby(["method", "name"])},
    "statuses": [[f"{m} {n}", int(status), int(count)] for (m, n, status), count in statuses.items()],
    "errors": [[f"{m} {n}", int(status), error, *map(int, rest)] for (m, n, status, error), *rest in failures.itertuples()],
    "peaks": {str(s): peak(s * 1000) for s in (1, 10, 60)},
    "intervals": [interval(i, group) for i, group in requests.groupby((requests["ms"] - origin_ms) // interval_ms)],
}
json.dump(answers, sys.stdout)
