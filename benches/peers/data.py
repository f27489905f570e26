"""The data: logs by the project's own generator, and the same log in other styles."""

import json
import subprocess
from datetime import datetime, timezone
from pathlib import Path

SPAN_S = 3600
"""Every log spans an hour or a little less, however many lines it has."""
VERBS = ["GET", "POST", "PUT", "DELETE", "GET", "GET", "GET"]


def scenario(lines: int, endpoints: int, span_s: int) -> str:
    """A scenario with so many endpoints, each of its own weight, speed and body size."""
    # A user asks, waits 0.3 s on average, and is answered in 0.12 s.
    users = max(1, round(lines / span_s * 0.42))
    parts = [
        f'title = "{lines} requests to {endpoints} endpoints in {span_s} s"',
        f'[load]\nusers = {users}\nspawn-rate = {max(1.0, users / 10)}\nrequests = {lines}\nwait = ["100ms", "500ms"]',
    ]
    for i in range(endpoints):
        speed = i % 12
        parts.append(
            f'[[endpoint]]\nmethod = "{VERBS[i % len(VERBS)]}"\nname = "/service/{i}/items"\nweight = {1 + i * 5 % 12}\n'
            f'median = "{20 + speed * 12}ms"\np95 = "{60 + speed * 35}ms"\n'
            f"response-length = [{100 + i}, {2000 + i * 40}]\n"
            "failures = [{ status = 404, ratio = 0.01 }, { status = 503, ratio = 0.005 }]"
        )
    return "\n\n".join(parts) + "\n"


def generate(ours: Path, folder: Path, lines: int, endpoints: int, what: str = "log", span_s: int = SPAN_S) -> Path:
    """The folder of a generated run; made once."""
    run = folder / f"{what}-{lines}-{endpoints}-{span_s}s"
    if not (run / "done").exists():
        run.mkdir(parents=True, exist_ok=True)
        (run / "scenario.toml").write_text(scenario(lines, endpoints, span_s))
        command = [ours, "generate", "--scenario", run / "scenario.toml", "--seed", "1", "--out", run, "--write", what, "--force"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (run / "done").touch()
    return run


def compact(record: dict) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def other_order(record: dict) -> str:
    return compact(dict(reversed(record.items())))


def spaced(record: dict) -> str:
    return json.dumps(record, ensure_ascii=False)


def nested(record: dict) -> str:
    return compact({
        "time": record["timestamp"],
        "request": {"method": record["method"], "name": record["name"]},
        "response": {"status": record["status"], "time_ms": record["response_time_ms"], "length": record["response_length"]},
        "success": record["success"],
        "error": record["error"],
        "user": record["user"],
        "users": record["users"],
    })


def epoch_times(record: dict) -> str:
    start = datetime.fromisoformat(record["timestamp"]).replace(tzinfo=timezone.utc)
    micros = round((start - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() * 1e6)
    return compact(record | {"timestamp": micros})


def extra_texts(record: dict) -> str:
    return compact(record | {"region": "eu-west-1", "trace": f"{hash_of(record):016x}", "cached": False, "build": "2026.11"})


def extra_numbers(record: dict) -> str:
    return compact(record | {"rows": hash_of(record) % 900, "db_ms": hash_of(record) % 20_000 / 1000})


def escapes(record: dict) -> str:
    return compact(record | {"name": record["name"].replace("/", "\\/") + ' "é"', "note": 'a "quoted"\nnote'}).replace("\\\\/", "\\/")


def carriage_returns(record: dict) -> str:
    return compact(record) + "\r"


def all_failed(record: dict) -> str:
    return compact(record | {"success": False, "status": 503, "error": "503 Server Error: Service Unavailable"})


def hash_of(record: dict) -> int:
    """A number that differs from line to line and is the same in every run."""
    return (record["user"] * 2_654_435_761 + round(record["response_time_ms"] * 1000) * 40_503) % (1 << 64)


STYLES = {
    "keys in another order": other_order,
    "spaces between": spaced,
    "nested": nested,
    "epoch times": epoch_times,
    "extra keys, texts": extra_texts,
    "extra keys, two measured numbers": extra_numbers,
    "escapes": escapes,
    "CRLF": carriage_returns,
    "every request failed": all_failed,
}


def styled(log: Path, style: str) -> Path:
    """The same log in another style; made once."""
    path = log.parent / (style.replace(" ", "-").replace(",", "") + ".jsonl")
    if not path.exists():
        write, half = STYLES[style], path.with_suffix(".half")
        with log.open() as lines, half.open("w", newline="") as out:
            out.writelines(write(json.loads(line)) + "\n" for line in lines)
        half.rename(path)
    return path


def compressed(log: Path, command: list[str], suffix: str) -> Path | None:
    """The same log, compressed by a program of the system; `None` where there is no such program."""
    path = log.with_name(log.name + suffix)
    if not path.exists():
        half = path.with_suffix(".half")
        try:
            with half.open("wb") as out:
                subprocess.run([*command, str(log)], stdout=out, check=True)
        except FileNotFoundError:
            half.unlink()
            return None
        half.rename(path)
    return path
