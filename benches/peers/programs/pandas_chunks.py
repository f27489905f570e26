"""pandas: the log read in chunks, only the columns that are needed kept, then grouped."""

import json
import sys

import numpy as np
import pandas as pd

log, interval_ms, origin_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
columns = ["timestamp", "method", "name", "response_time_ms", "status", "success", "error"]
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


by_interval = requests.groupby((requests["ms"] - origin_ms) // interval_ms)
intervals = zip(by_interval.size().items(), by_interval["failed"].sum(), by_interval["rt"].quantile(0.95))
ms = np.sort(requests["ms"].to_numpy())
answers = {
    "total": row(requests),
    "endpoints": {f"{m} {n}": row(group) for (m, n), group in requests.groupby(["method", "name"])},
    "intervals": [[int(i), int(n), int(failures), float(p95)] for (i, n), failures, p95 in intervals],
    "peak_60s": int((np.searchsorted(ms, ms + 60_000) - np.arange(len(ms))).max()),
    "statuses": {str(status): int(n) for status, n in requests["status"].value_counts().items()},
    "errors": {error: int(n) for error, n in requests.loc[requests["failed"], "error"].value_counts().items()},
}
json.dump(answers, sys.stdout)
