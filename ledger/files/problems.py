"""What is wrong with a file, where, and in words for the person who has to mend it.

A file is checked whole: every check adds to one `Problems`, and only at the end the file is refused with
the first hundred of them. The sentences are kept untranslated beside their values, so that the same
problem reads in Chinese on a page and in English in a test.
"""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

LISTED = 100
NO_COLUMN = "-"


class Wrong(Exception):
    """One value (or one row) cannot be what it should be; the sentence says what it should be.

    `message` is an English msgid, lazily translated; `values` fill its %(name)s places.
    Sentences never quote names or ID numbers: they end up in logs.
    """

    def __init__(self, message: Any, **values: Any) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


class Unreadable(Wrong):
    """The file cannot be read any further. `position` is the place of the cell in its row, from 0."""

    def __init__(self, line: int, message: Any, *, position: int | None = None, **values: Any) -> None:
        super().__init__(message, **values)
        self.line = line
        self.position = position


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, as `file:line: column: sentence`; line 1 is the header."""

    file: str
    line: int
    column: str
    message: Any
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What is wrong, in the language that is active now."""
        text = str(self.message)
        return text % self.values if self.values else text

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.column or NO_COLUMN}: {self.sentence}"


class FileRefused(Exception):
    """A file has problems and nothing of it was taken. As text: one line for each, and how many in all."""

    def __init__(self, problems: list[Problem], total: int) -> None:
        super().__init__(problems, total)
        self.problems = problems
        self.total = total

    def __str__(self) -> str:
        tally = str(_("problems in all: %(total)s")) % {"total": self.total}
        if self.total > len(self.problems):
            tally += str(_("; the first %(listed)s are listed")) % {"listed": len(self.problems)}
        return "\n".join([*map(str, self.problems), tally])


class Problems:
    """Collects problems of one or more files; keeps the first hundred and counts all, so it stays small."""

    def __init__(self, listed: int = LISTED) -> None:
        self.first: list[Problem] = []
        self.total = 0
        self._listed = listed

    def add(self, file: str, line: int, column: str, message: Any, /, **values: Any) -> None:
        self.total += 1
        if len(self.first) < self._listed:
            self.first.append(Problem(file, line, column, message, values))

    def add_wrong(self, file: str, line: int, column: str, wrong: Wrong) -> None:
        self.add(file, line, column, wrong.message, **wrong.values)

    def __bool__(self) -> bool:
        return self.total > 0

    def __len__(self) -> int:
        return self.total

    def refuse(self) -> None:
        """This function will raise FileRefused when anything was found, listed by file and line."""
        if self.total:
            files = list(dict.fromkeys(problem.file for problem in self.first))
            raise FileRefused(sorted(self.first, key=lambda p: (files.index(p.file), p.line)), self.total)
