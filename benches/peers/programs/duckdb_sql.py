"""DuckDB: the columns named and typed, into a table of its own, then one query for each answer."""

import json
import sys

import duckdb

log, interval_ms, origin_ms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
db = duckdb.connect()
db.execute(
    f"""create table requests as
    select epoch_us("timestamp") // 1000 as ms, method, name, response_time_ms as rt, status, success, error, users
    from read_json('{log}', format = 'newline_delimited', columns = {{"timestamp": 'TIMESTAMP', method: 'VARCHAR',
        name: 'VARCHAR', response_time_ms: 'DOUBLE', status: 'USMALLINT', success: 'BOOLEAN', error: 'VARCHAR', users: 'UINTEGER'}})"""
)
figures = """count(*), count(*) filter (not success), avg(rt), stddev_pop(rt), min(rt), max(rt),
    quantile_cont(rt, [0.5, 0.9, 0.95, 0.99, 0.999])"""


def all_of(query):
    return db.execute(query).fetchall()


def spread(values):
    """A row whose last value is a list, as one list."""
    return [*values[:-1], *values[-1]]


# Starts of each millisecond, summed up; the window from any of them ends where the sum was so much later. A window function
# with a range frame gives the same and took eight times as long.
db.execute(
    """create table upto as with starts as (select ms, count(*) as n from requests group by ms)
    select ms, n, sum(n) over (order by ms) as sum from starts"""
)


def peak(window_ms):
    """The busiest window: what it holds, its first start, and what each endpoint has in it."""
    query = f"""select (b.sum - a.sum + a.n)::bigint as held, a.ms from upto a asof join upto b on a.ms + {window_ms - 1} >= b.ms
        order by held desc, a.ms limit 1"""
    [(held, start)] = all_of(query)
    parts = f"select method, name, count(*) from requests where ms >= {start} and ms < {start + window_ms} group by all"
    return [held, start, {f"{m} {n}": count for m, n, count in all_of(parts)}]


intervals = f"""select (ms - {origin_ms}) // {interval_ms} as i, count(*), count(*) filter (not success), max(users),
    quantile_cont(rt, [0.5, 0.95, 0.99]) from requests group by i order by i"""
statuses = "select method, name, status, count(*) from requests group by all"
errors = "select method, name, status, error, count(*), min(ms), max(ms) from requests where not success group by all"
answers = {
    "run": list(all_of("select min(ms), max(ms + ceil(rt)::bigint), max(users) from requests")[0]),
    "total": spread(all_of(f"select {figures} from requests")[0]),
    "endpoints": {f"{m} {n}": spread(rest) for m, n, *rest in all_of(f"select method, name, {figures} from requests group by all")},
    "statuses": [[f"{m} {n}", status, count] for m, n, status, count in all_of(statuses)],
    "errors": [[f"{m} {n}", *rest] for m, n, *rest in all_of(errors)],
    "peaks": {str(s): peak(s * 1000) for s in (1, 10, 60)},
    "intervals": [spread(row) for row in all_of(intervals)],
}
json.dump(answers, sys.stdout)
