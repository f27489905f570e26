"""Compares loadgate with what else computes the same answers from a request log.

    cargo build --release && cargo build --release --example limits
    python3 benches/peers/run.py                                     10,000,000 lines, some 20 minutes
    python3 benches/peers/run.py --lines 100000 --rounds 1           a smoke test

Makes the logs with `loadgate generate`, installs DuckDB, polars, pandas and chdb from PyPI into a virtual environment of
their newest versions (jq and the decompressors are used if they are there), runs all of them in turn, checks that their
answers agree with ours, and prints Markdown tables. Everything is kept in `target/peers`; runs again are quicker.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import venv
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import answers
import data
import measure
import tables
from measure import Program

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGES = ["duckdb", "polars", "pandas", "chdb", "numpy"]
COMPUTES = {
    "DuckDB": "duckdb_sql.py",
    "polars": "polars_streaming.py",
    "ClickHouse (chdb)": "clickhouse.py",
}


def main() -> None:
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    ours = args.binary.resolve()
    lines, tenth = args.lines, max(1, args.lines // 10)
    bench = Bench(ours, args.work.resolve(), args.rounds)
    parts = {
        "peers": lambda: bench.peers(lines, ["DuckDB", "polars", "ClickHouse (chdb)"]),
        "slow": lambda: bench.peers(tenth, ["DuckDB", "polars", "pandas", "jq"]),
        "compressed": lambda: bench.compressed(lines),
        "size": lambda: bench.size(lines, args.ten_times),
        "cores": lambda: bench.cores(lines),
        "styles": lambda: bench.styles(tenth),
        "tables": lambda: bench.locust_tables(tenth),
    }
    print(tables.machine(versions(bench)), flush=True)
    for name, part in parts.items():
        if name in args.only:
            print(part(), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["peers", "slow", "compressed", "size", "cores", "styles", "tables"]
    parser.add_argument("--lines", type=int, default=10_000_000, help="lines of the log (10,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in turn, after one that is not counted (5)")
    parser.add_argument("--only", nargs="+", default=names, choices=names, help="which tables to make")
    parser.add_argument("--ten-times", action="store_true", help="also measure ten times the lines (20 GB for the default)")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/loadgate", help="the loadgate to measure")
    parser.add_argument("--work", type=Path, default=ROOT / "target/peers", help="where data and programs are kept")
    return parser.parse_args()


class Bench:
    """Where things are, and how often they are run."""

    def __init__(self, ours: Path, work: Path, rounds: int) -> None:
        self.ours, self.work, self.rounds = ours, work, rounds
        self.examples = ours.parent / "examples"

    def log(self, lines: int, endpoints: int = 12) -> Path:
        return data.generate(self.ours, self.work, lines, endpoints) / "requests.jsonl"

    def check(self, name: str, log: Path, cores: int | None = None) -> Program:
        """Our program: the whole pipeline to the JSON report."""
        out = self.work / f"{name.replace(' ', '-').replace('/', '-')}.json"
        command = [str(self.ours), "check", str(log), "--json", "-"]
        return Program(name, measure.on_cores(cores, command) if cores else command, out)

    def measured(self, programs: list[Program]) -> list[Program]:
        measure.in_turn(programs, self.rounds)
        return programs

    def peers(self, lines: int, names: list[str]) -> str:
        """Ours and others on one log."""
        log = self.log(lines)
        ours = self.check("loadgate", log)
        measure.run(ours.command, ours.out)
        timeline = json.loads(ours.out.read_text())["timeline"]
        origin = datetime.fromisoformat(timeline["rows"][0]["start"])
        frame = [str(timeline["interval_s"] * 1000), str(round(origin.timestamp() * 1000))]
        programs = [ours, *(self.peer(name, log, frame) for name in names if name != "jq" or shutil.which("jq"))]
        self.measured(programs)
        expected = answers.ours(ours.out)
        for program in programs[1:]:
            theirs = json.loads(program.out.read_text())
            if found := answers.differences(expected, theirs):
                raise SystemExit(f"{program.name} has other answers:\n" + "\n".join(found[:20]))
        return tables.peers(f"{lines:,} lines, {log.stat().st_size / 1e9:.2f} GB", programs)

    def peer(self, name: str, log: Path, frame: list[str]) -> Program:
        out = self.work / f"{name.split()[0].lower()}.json"
        interval, origin = frame
        if name == "jq":
            given = ["--argjson", "interval", interval, "--argjson", "origin", origin]
            return Program(name, ["jq", "-n", *given, "-f", str(HERE / "programs/jq.jq"), str(log)], out)
        script = COMPUTES.get(name, "pandas_chunks.py")
        return Program(name, [str(self.python()), str(HERE / "programs" / script), str(log), interval, origin], out)

    def python(self) -> Path:
        """Python with the peers, installed once."""
        python = self.work / "venv/bin/python"
        if not python.exists():
            venv.create(self.work / "venv", with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", *PACKAGES], check=True)
        return python

    def compressed(self, lines: int) -> str:
        """Compressed input against the decoder alone: ours to nowhere, and the system's."""
        log, rows = self.log(lines), []
        for name, suffix in [("gzip", ".gz"), ("zstd", ".zst")]:
            path = data.compressed(log, [name, "-c"], suffix)
            if path is None:
                continue
            nowhere = Path(os.devnull)
            limit = [str(self.examples / "limits"), "decode", str(path)]
            check = self.check(f"loadgate, {name}", path)
            alone = Program(f"loadgate's decoder alone, {name}", limit, nowhere)
            theirs = Program(f"`{name} -dc` alone", [name, "-dc", str(path)], nowhere)
            rows.append(self.measured([check, alone, theirs]))
        return tables.compressed(rows)

    def size(self, lines: int, ten_times: bool) -> str:
        """More lines, more endpoints."""
        base = self.check(f"{lines:,} lines, 12 endpoints", self.log(lines))
        others = [(lines // 10, 12), (lines, 120), (lines, 1000)]
        if ten_times:
            others.append((lines * 10, 12))
        programs = [(base, lines)]
        programs += [(self.check(f"{n:,} lines, {endpoints} endpoints", self.log(n, endpoints)), n) for n, endpoints in others]
        self.measured([program for program, _ in programs])
        return tables.size(programs)

    def cores(self, lines: int) -> str:
        """The same log on fewer cores, and the limit of reading and finding line ends."""
        log, most = self.log(lines), os.cpu_count() or 1
        counts = [cores for cores in (1, 2, 4, 8, 16) if cores <= most]
        programs = [(self.check(f"{cores} cores", log, cores), cores) for cores in counts]
        limit = Program("reading and finding line ends", [str(self.examples / "limits"), "lines", str(log)], Path(os.devnull))
        self.measured([*(program for program, _ in programs), limit])
        return tables.cores(programs, limit)

    def styles(self, lines: int) -> str:
        """The same log in other styles, per byte."""
        log = self.log(lines)
        base = self.check("the generator's style", log)
        paths = {base.name: log} | {style: data.styled(log, style) for style in data.STYLES}
        programs = [base, *(self.check(style, paths[style]) for style in data.STYLES)]
        self.measured(programs)
        return tables.styles([(program, paths[program.name].stat().st_size) for program in programs])

    def locust_tables(self, lines: int) -> str:
        """Locust's CSV files, from the cold start of the program to the verdict."""
        programs = []
        for span_s in (60, 300, 3600):
            run = data.generate(self.ours, self.work, lines * span_s // 3600, 12, "locust-csv", span_s)
            rows = sum(len(path.read_text().splitlines()) for path in run.glob("run_*.csv"))
            command = [str(self.ours), "check", str(run / "run"), "--require", "p95 < 1h"]
            programs.append(Program(f"{span_s // 60} min, {rows:,} rows", command, self.work / "tables.txt"))
        measure.in_turn(programs, self.rounds * 4)
        return tables.locust(programs)


def versions(bench: Bench) -> list[str]:
    """What was compared, each with its version."""
    said = subprocess.run([bench.ours, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    frozen = subprocess.run([bench.python(), "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    found = dict(line.split("==", 1) for line in frozen.splitlines() if "==" in line)
    peers = [f"{package} {found[package]}" for package in PACKAGES]
    tools = [tool for tool in (["jq", "--version"], ["gzip", "--version"], ["zstd", "--version"]) if shutil.which(tool[0])]
    outputs = [subprocess.run(tool, capture_output=True, text=True, check=True).stdout.splitlines()[0] for tool in tools]
    return [said, *peers, *outputs, f"Python {platform.python_version()}"]


if __name__ == "__main__":
    main()
