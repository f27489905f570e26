"""Runs programs in turn, and what they took: wall time, processor time, peak memory."""

import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Cost:
    """One run."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass
class Program:
    """A program, and what its runs took."""

    name: str
    command: list[str]
    out: Path
    computes: str = ""
    runs: list[Cost] = field(default_factory=list)

    def median(self, what: str) -> float:
        return statistics.median(getattr(run, what) for run in self.runs)

    def least(self, what: str) -> float:
        return min(getattr(run, what) for run in self.runs)

    def most(self, what: str) -> float:
        return max(getattr(run, what) for run in self.runs)


def run(command: list[str], out: Path) -> Cost:
    """Runs a command, its output into a file. The kernel tells its processor time and peak memory."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 1, str(out), flags, 0o644)]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if (code := os.waitstatus_to_exitcode(status)) != 0:
        raise SystemExit(f"`{' '.join(command)}` ended with {code}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(programs: list[Program], rounds: int) -> None:
    """A B C A B C …, so that a busy moment of the machine meets all. One round before them fills the page cache."""
    for turn in range(rounds + 1):
        for program in programs:
            cost = run(program.command, program.out)
            if turn > 0:
                program.runs.append(cost)


def on_cores(cores: int, command: list[str]) -> list[str]:
    return ["taskset", "-c", f"0-{cores - 1}", *command]
