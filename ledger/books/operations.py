"""Running the check: Beancount in a process of its own, which speaks by files and JSON."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("check.py")


class BooksUnreadable(Exception):
    """There are no books there, or the check itself failed; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What Beancount says of the books: balances by account in yuan, errors told and their number."""

    entries: int
    accounts: int
    balances: dict[str, Decimal]
    errors: list[str]
    error_count: int
    months_read: list[str]


def check(
    directory: Path, *, cache: Path | None = None, progress: Callable[[int, int, str], None] | None = None
) -> Checked:
    """This function will load the books in `directory` with Beancount, months side by side.

    With a `cache` directory what was loaded before and has the same bytes is not loaded again. Raises
    BooksUnreadable.
    """
    arguments = [sys.executable, "-I", str(PROGRAM), str(directory)]
    if cache is not None:
        arguments += ["--cache", str(cache)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        said: list[str] = []
        for line in process.stderr:
            words = line.split()
            if progress and len(words) == 2 and all(word.isdigit() for word in words):
                progress(int(words[0]), int(words[1]), "Beancount")
            else:
                said.append(line.strip())
        answer = process.stdout.read()
    if process.returncode:
        raise BooksUnreadable(" ".join(said[-3:]) or f"the check ended with {process.returncode}")
    return _checked(json.loads(answer))


def _checked(told: dict[str, Any]) -> Checked:
    return Checked(
        entries=told["entries"],
        accounts=told["accounts"],
        balances={name.rpartition(" ")[0]: Decimal(amount) for name, amount in told["balances"].items()},
        errors=told["errors"],
        error_count=told["error_count"],
        months_read=[month for month, of in told["months"].items() if of["read"]],
    )
