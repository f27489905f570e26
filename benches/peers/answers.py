"""The answers every program gives, as one JSON object, and whether they agree: what `loadgate check --json` reports of a
run without gates, but for how sure it is.

    {"run": [first start, last end, most users], "total": row, "endpoints": {"GET /a": row, …},
     "statuses": [["GET /a", 200, n], …], "errors": [["GET /a", 404, "404 Client Error …", n, first, last], …],
     "peaks": {"60": [n, start, {"GET /a": n, …}], …},
     "intervals": [[i, requests, failures, users, p50, p95, p99], …]}

A row is [requests, failures, mean, stddev, min, max, p50, p90, p95, p99, p99.9], response times in ms, moments in epoch
ms. What a program does not compute is absent. Percentiles are numpy's `linear`, the standard deviation is the
population's, a peak counts the starts (whole ms) in any half-open window of so many seconds, the earliest of equals.
"""

import json
from datetime import datetime
from pathlib import Path

COLUMNS = ["requests", "failures", "mean", "stddev", "min", "max", "p50", "p90", "p95", "p99", "p99.9"]
QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999]
INTERVAL_QUANTILE = 0.005
"""Our timeline's percentiles come from buckets within 0.5 %; the peers' are exact."""
EXACT = 1e-6
"""Reports round to a nanosecond."""


def ours(report: Path) -> dict:
    """The answers in our JSON report."""
    report = json.loads(report.read_text())
    run, rates = report["run"], report["rates"]
    peaks = {"1": rates["peak_rps"], "10": rates["peak_10s"], "60": rates["peak_rpm"]}
    endpoints = {key(e): e for e in report["endpoints"]}
    return {
        "run": [ms(run["started_at"]), ms(run["ended_at"]), run["users_max"]],
        "total": row(report["total"]),
        "endpoints": {name: row(e) for name, e in endpoints.items()},
        "statuses": [[name, int(status), n] for name, e in endpoints.items() for status, n in e["statuses"].items()],
        "errors": [[key(e), e["status"], e["error"], e["count"], ms(e["first_seen"]), ms(e["last_seen"])] for e in report["errors"]],
        "peaks": {s: [p["value"], ms(p["start"]), {key(c): c["count"] for c in p["contributors"]}] for s, p in peaks.items()},
        "intervals": [
            [i, r["requests"], r["failures"], r["users"], r["p50"], r["p95"], r["p99"]]
            for i, r in enumerate(report["timeline"]["rows"])
            if r["requests"] > 0
        ],
    }


def key(endpoint: dict) -> str:
    return f"{endpoint['method']} {endpoint['name']}"


def ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


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
                found += of_intervals(ours["intervals"], sorted(answer))
            case "errors":
                # Ours folds numbers in messages: what was folded into one is joined here as well.
                found += of_equals(part, joined(ours[part]), joined(answer))
            case "statuses":
                found += of_equals(part, sorted(ours[part]), sorted(answer))
            case "run" | "peaks":
                found += of_equals(part, ours[part], answer)
            case unknown:
                found.append(f"unknown answer `{unknown}`")
    return found


def joined(errors: list) -> dict:
    """Endpoint and status → failures, first and last."""
    all_of: dict[tuple, list] = {}
    for endpoint, status, _, count, first, last in errors:
        n, least, most = all_of.get((endpoint, status), [0, first, last])
        all_of[endpoint, status] = [n + count, min(least, first), max(most, last)]
    return all_of


def of_equals(name: str, ours: object, theirs: object) -> list[str]:
    return [] if ours == theirs else [f"{name}: {str(ours)[:500]} and {str(theirs)[:500]}"]


def of_row(name: str, ours: list[float], theirs: list[float]) -> list[str]:
    if len(ours) != len(theirs):
        return [f"{name}: {len(ours)} and {len(theirs)} columns"]
    pairs = zip(COLUMNS, ours, theirs)
    return [text for column, a, b in pairs for text in of_number(f"{name}: {column}", a, b, EXACT)]


def of_intervals(ours: list, theirs: list) -> list[str]:
    if len(ours) != len(theirs):
        return [f"{len(ours)} and {len(theirs)} intervals"]
    found = []
    for mine, other in zip(ours, theirs):
        found += of_equals("interval", list(mine[:4]), list(other[:4]))
        for a, b in zip(mine[4:], other[4:]):
            found += of_number(f"interval {mine[0]}: percentile", a, b, INTERVAL_QUANTILE)
    return found


def of_number(name: str, ours: float, theirs: float, tolerance: float) -> list[str]:
    off = abs(ours - theirs)
    return [] if off <= tolerance * max(1.0, abs(theirs)) else [f"{name}: {ours} and {theirs}"]
