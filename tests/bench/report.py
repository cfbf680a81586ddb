"""docs/performance.md, from the last result of each part."""

import json
from pathlib import Path

from marketplace.config.environment import PROJECT
from tests.bench.measure import table
from tests.bench.results import Result

PAGE = PROJECT / "docs" / "performance.md"
ORDER = ("redemptions", "issue", "month", "books", "rules", "http", "pages", "market")

HEAD = """# Performance

How fast this is beside other software, on one machine. `make bench` measures it and writes this page; \
`.venv/bin/python -m tests.bench --quick` does a tenth of it in minutes.

PostgreSQL is the embedded one with its settings of every day: fsync, synchronous_commit and full_page_writes on. What is \
compared runs in turns in the same run (A, B, C, A, B, C, ...); figures are medians, the spread beside them goes \
from the lowest round to the highest. Ratios travel to other machines, absolute figures do not.
"""


class Kept:
    """The last result of each part, as JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._results = json.loads(path.read_text()) if path.exists() else {}

    def put(self, result: Result) -> None:
        self._results[result.part] = result.as_dict()
        self._path.write_text(json.dumps(self._results, indent=1, ensure_ascii=False))

    def all(self) -> list[Result]:
        return [Result(**self._results[part]) for part in ORDER if part in self._results]


def write(kept: Kept, *, machine: str) -> None:
    results = kept.all()
    bars = [row for result in results for row in result.bars]
    PAGE.parent.mkdir(exist_ok=True)
    parts = [HEAD + f"\nMachine: {machine}.", "## Promises", table(["promise", "measured", "bar", ""], bars)]
    for result in results:
        parts.append(Result(result.part, result.title, [], result.tables, result.notes, result.about).text())
    PAGE.write_text("\n\n".join(parts) + "\n")
