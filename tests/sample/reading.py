"""Helpers of these tests: a generated town on disk, read back as rows."""

import csv
from datetime import date
from pathlib import Path

from marketplace.sample.dates import label
from marketplace.sample.generate import Sample
from tests.reckoning.reckoning import Played


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def all_rows(directory: Path, pattern: str) -> list[dict[str, str]]:
    return [row for path in sorted(directory.glob(pattern)) for row in rows(path)]


def reckoned(sample: Sample, directory: Path, *, check: bool = True) -> Played:
    """The town played through the independent reckoning (tests/reckoning), without the people's steps."""
    played = Played(directory, check=check)
    people = {
        "demo_users",
        "demo_families",
        "confirm",
        "review",
        "receipts",
        "furnish",
        "orders",
        "visits",
        "demo_homes",
        "payouts",
        "reminders",
        "seal_entries",
    }
    for line in sample.steps:
        if line.split()[0] not in people:
            played.step(line)
    return played


def statements(played: Played, month: date) -> dict:
    return played.city.drawn[label(month)]
