"""Figures of several rounds: medians, spread, ratios; and on what machine they were taken."""

import os
import platform
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import django
import psycopg


@dataclass
class Series:
    """What the rounds of one measurement gave, in the order in which they were taken."""

    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        self.values.append(value)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        """Lowest to highest, as shares of the median."""
        if len(self.values) < 2 or not self.median:
            return "one round"
        low, high = min(self.values) / self.median - 1, max(self.values) / self.median - 1
        return f"{low:+.0%} {high:+.0%}"


@dataclass(frozen=True)
class Bar:
    """One promise and what was measured. `least`: the value must reach the bar; otherwise stay within it."""

    what: str
    value: float
    bar: float
    least: bool = True
    form: str = "{:.2f}"

    @property
    def met(self) -> bool:
        return self.value >= self.bar if self.least else self.value <= self.bar

    @property
    def row(self) -> list[str]:
        sign = "≥" if self.least else "≤"
        return [
            self.what,
            self.form.format(self.value),
            f"{sign} {self.form.format(self.bar)}",
            "PASS" if self.met else "FAIL",
        ]


def paired(top: Series, bottom: Series) -> float:
    """The ratio of the medians of two series taken side by side."""
    return top.median / bottom.median


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table that also reads well as plain text; columns after the first are right-aligned."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: list[str]) -> str:
        cells = [row[0].ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)
        ]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2)] + ["-" * (width + 1) + ":" for width in widths[1:]]) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def count(value: float) -> str:
    return f"{value:,.0f}"


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, Django {django.__version__}, psycopg {psycopg.__version__}, {_postgres()}"
    )


def load() -> float:
    """How many processes wanted to run in the last minute, this run's own included."""
    return os.getloadavg()[0]


def _postgres() -> str:
    from tests.bench.server import program

    done = subprocess.run([program("postgres"), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL")
