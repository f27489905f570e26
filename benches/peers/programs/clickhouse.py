"""ClickHouse inside the process (chdb): the columns named and typed, into a table in memory, then a query for each answer."""

import json
import sys

from chdb.session import Session

log, interval_ms, origin_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
db = Session()
columns = (
    "timestamp DateTime64(6), method LowCardinality(String), name LowCardinality(String), response_time_ms Float64, "
    "status UInt16, success Bool, error Nullable(String), users UInt32"
)
db.query("create database log")
db.query(
    f"""create table log.requests engine = Memory as
    select intDiv(toUnixTimestamp64Micro(timestamp), 1000) as ms, method, name, response_time_ms as rt, status, success, error, users
    from file('{log}', JSONEachRow, '{columns}')
    settings date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1"""
)
figures = """count(), countIf(not success), avg(rt), stddevPop(rt), min(rt), max(rt),
    quantilesExactInclusive(0.5, 0.9, 0.95, 0.99, 0.999)(rt)"""


def all_of(query):
    answer = db.query(query + " settings output_format_json_quote_64bit_integers = 0", "JSONCompactEachRow")
    return [json.loads(line) for line in answer.bytes().decode().splitlines()]


def spread(values):
    """A row whose last value is a list, as one list."""
    return [*values[:-1], *values[-1]]


db.query(
    """create table log.upto engine = Memory as
    select ms, n, sum(n) over (order by ms) as sum, 1 as k from (select ms, count() as n from log.requests group by ms)"""
)


def peak(window_ms):
    """The busiest window: what it holds, its first start, and what each endpoint has in it."""
    query = f"""select b.sum - a.sum + a.n as held, a.ms from (select *, ms + {window_ms - 1} as last from log.upto) a
        asof join log.upto b on a.k = b.k and a.last >= b.ms order by held desc, a.ms limit 1"""
    [(held, start)] = all_of(query)
    parts = f"select method, name, count() from log.requests where ms >= {start} and ms < {start + window_ms} group by method, name"
    return [held, start, {f"{m} {n}": count for m, n, count in all_of(parts)}]


intervals = f"""select intDiv(ms - {origin_ms}, {interval_ms}) as i, count(), countIf(not success), max(users),
    quantilesExactInclusive(0.5, 0.95, 0.99)(rt) from log.requests group by i order by i"""
statuses = "select method, name, status, count() from log.requests group by method, name, status"
errors = """select method, name, status, error, count(), min(ms), max(ms) from log.requests where not success
    group by method, name, status, error"""
answers = {
    "run": all_of("select min(ms), max(ms + toInt64(ceil(rt))), max(users) from log.requests")[0],
    "total": spread(all_of(f"select {figures} from log.requests")[0]),
    "endpoints": {f"{m} {n}": spread(rest) for m, n, *rest in all_of(f"select method, name, {figures} from log.requests group by method, name")},
    "statuses": [[f"{m} {n}", *rest] for m, n, *rest in all_of(statuses)],
    "errors": [[f"{m} {n}", *rest] for m, n, *rest in all_of(errors)],
    "peaks": {str(s): peak(s * 1000) for s in (1, 10, 60)},
    "intervals": [spread(row) for row in all_of(intervals)],
}
json.dump(answers, sys.stdout)
