"""ClickHouse inside the process (chdb): the columns named and typed, into a table in memory, then a query for each answer."""

import json
import sys

from chdb.session import Session

log, interval_ms, origin_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
db = Session()
columns = (
    "timestamp DateTime64(6), method LowCardinality(String), name LowCardinality(String), response_time_ms Float64, "
    "status UInt16, success Bool, error Nullable(String)"
)
db.query("create database log")
db.query(
    f"""create table log.requests engine = Memory as
    select intDiv(toUnixTimestamp64Micro(timestamp), 1000) as ms, method, name, response_time_ms as rt, status, success, error
    from file('{log}', JSONEachRow, '{columns}')
    settings date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1"""
)
figures = """count(), countIf(not success), avg(rt), stddevPop(rt), min(rt), max(rt),
    quantilesExactInclusive(0.5, 0.9, 0.95, 0.99, 0.999)(rt)"""


def all_of(query):
    answer = db.query(query + " settings output_format_json_quote_64bit_integers = 0", "JSONCompactEachRow")
    return [json.loads(line) for line in answer.bytes().decode().splitlines()]


def row(values):
    return [*values[:-1], *values[-1]]


peak = """with upto as (select ms, n, sum(n) over (order by ms) as sum from (select ms, count() as n from log.requests group by ms))
    select max(b.sum - a.sum + a.n) from (select *, 1 as k, ms + 59999 as last from upto) a
    asof join (select *, 1 as k from upto) b on a.k = b.k and a.last >= b.ms"""
intervals = f"""select intDiv(ms - {origin_ms}, {interval_ms}) as i, count(), countIf(not success), quantileExactInclusive(0.95)(rt)
    from log.requests group by i order by i"""
answers = {
    "total": row(all_of(f"select {figures} from log.requests")[0]),
    "endpoints": {f"{m} {n}": row(rest) for m, n, *rest in all_of(f"select method, name, {figures} from log.requests group by method, name")},
    "intervals": all_of(intervals),
    "peak_60s": all_of(peak)[0][0],
    "statuses": dict(all_of("select toString(status), count() from log.requests group by status")),
    "errors": dict(all_of("select error, count() from log.requests where not success group by error")),
}
json.dump(answers, sys.stdout)
