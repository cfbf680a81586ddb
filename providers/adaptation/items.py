"""The thirty items of home adaptation, in groups (items.csv, each with its source). Pure.

Seven are basic: they are given free of charge to families in difficulty; the others by choice.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import get_language


@dataclass(frozen=True, slots=True)
class Item:
    code: str
    name_zh: str
    name_en: str
    group_zh: str
    group_en: str
    basic: bool
    source: str

    def __str__(self) -> str:
        return self.name_zh if _chinese() else self.name_en

    @property
    def group(self) -> str:
        return self.group_zh if _chinese() else self.group_en


def _chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


def _read() -> dict[str, Item]:
    with open(Path(__file__).with_name("items.csv"), encoding="utf-8", newline="") as file:
        return {
            row["code"]: Item(
                row["code"],
                row["name_zh"],
                row["name_en"],
                row["group_zh"],
                row["group_en"],
                row["kind"] == "base",
                row["source"],
            )
            for row in csv.DictReader(file)
        }


ITEMS = _read()
