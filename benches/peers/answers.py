"""The answers every program gives, as one JSON object, and whether they agree.

    {"total": row, "endpoints": {"GET /a": row, …}, "intervals": [[begin_s, requests, failures, p95_ms], …],
     "peak_60s": n, "statuses": {"200": n, …}, "errors": {"404 Client Error …": n, …}}

A row is [requests, failures, mean, stddev, min, max, p50, p90, p95, p99, p99.9], response times in ms. What a program
does not compute is absent. Percentiles are numpy's `linear`, the standard deviation is the population's, a peak counts
the starts (whole ms) in any half-open window.
"""

import json
from pathlib import Path

COLUMNS = ["requests", "failures", "mean", "stddev", "min", "max", "p50", "p90", "p95", "p99", "p99.9"]
QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999]
INTERVAL_P95 = 0.005
"""Our timeline's percentiles come from buckets within 0.5 %; the peers' are exact."""
EXACT = 1e-6
"""Reports round to a nanosecond."""


def ours(report: Path) -> dict:
    """The answers in our JSON report."""
    report = json.loads(report.read_text())
    rows = report["timeline"]["rows"]
    errors: dict[str, int] = {}
    for error in report["errors"]:
        errors[error["error"]] = errors.get(error["error"], 0) + error["count"]
    return {
        "total": row(report["total"]),
        "endpoints": {f"{e['method']} {e['name']}": row(e) for e in report["endpoints"]},
        "intervals": [[r["start"], r["requests"], r["failures"], r["p95"]] for r in rows],
        "peak_60s": report["rates"]["peak_rpm"]["value"],
        "statuses": report["total"]["statuses"],
        "errors": errors,
    }


def row(endpoint: dict) -> list[float]:
    times = endpoint["response_time_ms"]
    quantiles = [times["quantiles"][q] for q in ("p50", "p90", "p95", "p99", "p99.9")]
    return [endpoint["requests"], endpoint["failures"], times["mean"], times["stddev"], times["min"], times["max"], *quantiles]


def differences(ours: dict, theirs: dict) -> list[str]:
    """Where two answers differ, as far as the other gives any."""
    found = []
    for part, answer in theirs.items():
        match part:
            case "total":
                found += of_row("total", ours["total"], answer)
            case "endpoints":
                found += [f"endpoint `{name}` is only in one" for name in answer.keys() ^ ours["endpoints"].keys()]
                for name in answer.keys() & ours["endpoints"].keys():
                    found += of_row(name, ours["endpoints"][name], answer[name])
            case "intervals":
                found += of_intervals(ours["intervals"], answer)
            case "errors":
                # Ours folds numbers in messages, so only the sum can be compared.
                found += of_number("errors", sum(ours["errors"].values()), sum(answer.values()), 0)
            case "peak_60s":
                found += of_number("peak_60s", ours[part], answer, 0)
            case "statuses":
                found += [] if ours[part] == answer else [f"statuses: {ours[part]} and {answer}"]
            case unknown:
                found.append(f"unknown answer `{unknown}`")
    return found


def of_row(name: str, ours: list[float], theirs: list[float]) -> list[str]:
    if len(ours) != len(theirs):
        return [f"{name}: {len(ours)} and {len(theirs)} columns"]
    pairs = zip(COLUMNS, ours, theirs)
    return [text for column, a, b in pairs for text in of_number(f"{name}: {column}", a, b, EXACT)]


def of_intervals(ours: list, theirs: list) -> list[str]:
    filled = [row for row in ours if row[1] > 0]
    if len(filled) != len(theirs):
        return [f"{len(filled)} and {len(theirs)} intervals"]
    found = []
    for (start, *mine), (_, *other) in zip(filled, sorted(theirs)):
        found += [] if mine[:2] == other[:2] else [f"interval {start}: {mine} and {other}"]
        found += of_number(f"interval {start}: p95", mine[2], other[2], INTERVAL_P95)
    return found


def of_number(name: str, ours: float, theirs: float, tolerance: float) -> list[str]:
    off = abs(ours - theirs)
    return [] if off <= tolerance * max(1.0, abs(theirs)) else [f"{name}: {ours} and {theirs}"]
