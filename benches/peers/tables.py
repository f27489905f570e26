"""The Markdown tables."""

import os
import platform
from pathlib import Path

from measure import Program


def machine(versions: list[str]) -> str:
    """Where it was measured, and what."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0] if models else cpu
    return f"{os.cpu_count()} cores ({cpu}), {platform.system()}. {'; '.join(versions)}.\n"


def table(title: str, columns: list[str], rows: list[list[str]]) -> str:
    lines = [f"### {title}", "", "| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def seconds(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def costs(program: Program) -> list[str]:
    """Median wall time with the shortest and longest, median processor time, median peak memory."""
    span = f"{seconds(program.least('wall_s'))} to {seconds(program.most('wall_s'))}"
    return [seconds(program.median("wall_s")), span, seconds(program.median("cpu_s")), f"{program.median('peak_mb'):.0f}"]


COSTS = ["wall s", "min to max", "processor s", "peak MB"]


def against(program: Program, base: Program) -> list[str]:
    """Ratios of the medians."""
    return [f"{program.median(what) / base.median(what):.2f}" for what in ("wall_s", "cpu_s", "peak_mb")]


def peers(title: str, programs: list[Program]) -> str:
    rows = [[p.name, *costs(p), *against(p, programs[0])] for p in programs]
    return table(title, ["program", *COSTS, "wall ×", "processor ×", "memory ×"], rows)


def compressed(rows: list[list[Program]]) -> str:
    found = [[p.name, *costs(p), f"{group[0].median('wall_s') / p.median('wall_s'):.2f}"] for group in rows for p in group]
    return table("Compressed", ["program", *COSTS, "loadgate ÷ this, wall"], found)


def size(programs: list[tuple[Program, int]]) -> str:
    base, base_lines = programs[0]
    rows = []
    for program, lines in programs:
        of = {what: program.median(what) / lines for what in ("wall_s", "cpu_s")}
        ratios = [of[what] / (base.median(what) / base_lines) for what in of]
        memory = program.median("peak_mb") / base.median("peak_mb")
        rows.append([program.name, *costs(program), *(f"{ratio:.2f}" for ratio in ratios), f"{memory:.2f}"])
    return table("More lines, more endpoints", ["log", *COSTS, "wall × per line", "processor × per line", "memory ×"], rows)


def cores(programs: list[tuple[Program, int]], limit: Program) -> str:
    (first, fewest), rows = programs[0], []
    for program, n in programs:
        linear = first.median("wall_s") * fewest / n
        rows.append([program.name, *costs(program), f"{program.median('wall_s') / linear:.2f}"])
    rows.append([limit.name, *costs(limit), ""])
    return table("Cores", ["", *COSTS, "wall ÷ linear from 1 core"], rows)


def styles(programs: list[tuple[Program, int]]) -> str:
    base, base_bytes = programs[0]
    rows = []
    for program, n in programs:
        ratios = [program.median(what) / n / (base.median(what) / base_bytes) for what in ("wall_s", "cpu_s")]
        rows.append([program.name, f"{n / 1e6:.0f}", *costs(program), *(f"{ratio:.2f}" for ratio in ratios)])
    return table("Other styles of the same log", ["style", "MB", *COSTS, "wall × per byte", "processor × per byte"], rows)


def locust(programs: list[Program]) -> str:
    rows = [[p.name, *(f"{getattr(p, of)('wall_s') * 1000:.1f}" for of in ("median", "least", "most"))] for p in programs]
    return table("Locust CSV set with the full history, cold start to verdict", ["run", "wall ms", "min", "max"], rows)
