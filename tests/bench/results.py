"""What a part of the bench found: its promises first, then its tables, then what to know about them."""

from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.measure import Bar, table


@dataclass
class Result:
    """Everything is text or numbers, so that it can be kept as JSON and printed later."""

    part: str
    title: str
    bars: list[list[str]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    about: str = ""  # when, in how long, under what load

    def promise(self, *bars: Bar) -> None:
        self.bars += [bar.row for bar in bars]

    def show(self, title: str, head: list[str], rows: list[list[str]]) -> None:
        self.tables.append({"title": title, "head": head, "rows": rows})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def text(self, level: str = "##") -> str:
        parts = [f"{level} {self.title}", self.about]
        if self.bars:
            parts.append(table(["promise", "measured", "bar", ""], self.bars))
        for shown in self.tables:
            parts += [f"**{shown['title']}**", table(shown["head"], shown["rows"])]
        parts += ["\n".join(f"- {note}" for note in self.notes)]
        return "\n\n".join(part for part in parts if part)
