"""Tables from files: named, typed columns over CSV or XLSX, checked whole before anything is believed.

    table = Table(path, [Column("code", CODE), Column("name", text()), Column("born_on", DATE, required=False)])
    table.check()                  # FileRefused lists everything that is wrong
    for row in table.rows():       # the same file once more, in bounded memory
        row.line, row["code"]

`read` does both at once for files that fit into memory. To add checks of one's own to the same list (a
reference that is unknown, two rows that exclude each other), pass one `Problems` to several tables:

    problems = Problems()
    lines = read(path, LEASES, problems=problems)      # the rows that are well formed
    ... problems.add("leases.csv", row.line, "operator", _("..."), code=row["operator"]) ...
    problems.refuse()
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy as _

from ledger.files.csv_rows import Row as RawRow
from ledger.files.csv_rows import csv_rows
from ledger.files.kinds import Kind, shown
from ledger.files.problems import Problems, Unreadable, Wrong
from ledger.files.source import LIMITS, Limits, Source
from ledger.files.workbook_rows import OLE_MARK, ZIP_MARK, workbook_rows


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file. `required`: no row may leave it empty. `optional`: the file may lack it."""

    name: str
    kind: Kind
    required: bool = True
    optional: bool = False


class Row:
    """One row: `line`, and its values by column name; not given is None (an empty tuple for lists).

    `"name" in row` tells whether the file has that column at all.
    """

    __slots__ = ("_header", "_values", "line")

    def __init__(self, line: int, header: "_Header", values: list[Any]) -> None:
        self.line = line
        self._header = header
        self._values = values

    def __getitem__(self, name: str) -> Any:
        """The value of a column; not given also for an optional column that the file lacks."""
        return self._values[self._header.places[name]]

    def __contains__(self, name: str) -> bool:
        return name in self._header.present

    def as_dict(self) -> dict[str, Any]:
        """All columns that the file may have, by name."""
        return {name: self._values[place] for name, place in self._header.places.items()}

    def __repr__(self) -> str:  # values may be personal
        return f"<Row {self.line}>"


def row_of(columns: "Sequence[Column]", line: int, **values: Any) -> Row:
    """A row that stands in no file: what a page was told, for the same checks. What is not given is None."""
    header = _Header("", 1, [column.name for column in columns], columns)
    return Row(line, header, [values.get(column.name, column.kind.nothing) for column in columns])


class Table:
    """A file with known columns, in any order. It is opened anew for each pass and never kept.

    Lines before `header_line` are passed over: banks put titles there.
    """

    def __init__(
        self,
        source: "str | os.PathLike[str] | bytes | BinaryIO",
        columns: Sequence[Column],
        *,
        name: str | None = None,
        limits: Limits = LIMITS,
        header_line: int = 1,
    ) -> None:
        self._header_line = header_line
        self._source = Source(source, name)
        self._columns = columns
        self._limits = limits
        self._checked_state: tuple[int, ...] | None = None
        self.name = self._source.name

    def check(self, problems: Problems | None = None) -> int:
        """This function will read the whole file once and give the number of its rows.

        Raises FileRefused with everything that is wrong; given `problems`, adds to them instead.
        """
        found = Problems() if problems is None else problems
        count = sum(1 for _row in self._pass(found))
        if problems is None:
            found.refuse()
        return count

    def sift(self, problems: Problems) -> Iterator[Row]:
        """This function will read the file once: yield the rows that are right, and add to `problems`
        what is wrong with the others. Nothing may be believed before the last row and a look at `problems`.
        """
        return self._pass(problems)

    def rows(self) -> Iterator[Row]:
        """This function will yield the rows one by one, in the order of the file.

        Raises FileRefused at the first wrong row, and when the file is not the one that was checked.
        """
        problems = Problems()
        for row in self._pass(problems):
            problems.refuse()
            yield row
        problems.refuse()

    def _pass(self, problems: Problems) -> Iterator[Row]:
        """One pass over the file: yields the rows that are right, adds what is wrong to `problems`."""
        header: _Header | None = None
        try:
            with self._open() as rows:
                for line, cells in rows:
                    if line < self._header_line:
                        continue
                    if header is None:
                        if isinstance(cells, Wrong):
                            raise Unreadable(line, cells.message, **cells.values)
                        header = _Header(self.name, line, cells, self._columns)
                        if not header.understood(problems):
                            return
                    elif row := header.read(line, cells, problems):
                        yield row
            if header is None:
                raise Unreadable(1, _("the file has no header row"))
        except Unreadable as stop:
            column = header.column_at(stop.position) if header and stop.position is not None else ""
            problems.add_wrong(self.name, stop.line, column, stop)

    @contextmanager
    def _open(self) -> Iterator[Iterator[RawRow]]:
        with self._source.open(self._limits) as (file, state):
            if self._checked_state not in (None, state):
                raise Unreadable(1, _("the file has changed since it was checked: try again"))
            self._checked_state = state
            start = file.read(4)
            file.seek(0)
            if start == OLE_MARK:
                raise Unreadable(
                    1, _("this is an old Excel file or one with a password: save it as .xlsx without one")
                )
            yield workbook_rows(file, self._limits) if start == ZIP_MARK else csv_rows(file, self._limits)


class _Header:
    """The header row of a file set against the columns that it should have."""

    def __init__(self, file: str, line: int, cells: list[str], columns: Sequence[Column]) -> None:
        self._file = file
        self._line = line
        self._names = [cell.strip() for cell in cells]
        while self._names and not self._names[-1]:
            self._names.pop()  # spreadsheets leave empty columns at the right
        self._columns = columns
        known = {column.name: column for column in columns}
        self._in_order = [known.get(name) for name in self._names]
        self.present = frozenset(known) & frozenset(self._names)
        absent = [column for column in columns if column.name not in self.present]
        self._absent = [column.kind.nothing for column in absent]  # stand behind the row's own values
        self.places = {name: place for place, name in enumerate([*self._names, *(c.name for c in absent)])}

    def column_at(self, position: int) -> str:
        """The name of a column, or its number where it has none."""
        if position < len(self._names) and self._names[position]:
            return self._names[position]
        return str(position + 1)

    def understood(self, problems: Problems) -> bool:
        """Whether rows can be read under this header; says what is wrong with it if not."""
        before = problems.total
        for separator, word in ((";", ";"), ("\t", "Tab"), ("，", "，")):
            if len(self._names) == 1 and separator in self._names[0]:
                problems.add(
                    self._file,
                    self._line,
                    "",
                    _("the cells are separated by %(sign)s: use commas"),
                    sign=word,
                )
                return False
        seen = set()
        for position, name in enumerate(self._names):
            # without a header the first row holds people: an unknown name is quoted only if it is harmless
            heading = name if name in self.present or (name and shown(name) == name) else str(position + 1)
            if not name:
                problems.add(self._file, self._line, heading, _("this column has no name"))
            elif name in seen:
                problems.add(self._file, self._line, heading, _("this column is there twice"))
            elif self._in_order[position] is None:
                problems.add(
                    self._file,
                    self._line,
                    heading,
                    _("this column is unknown; known are: %(names)s"),
                    names=", ".join(column.name for column in self._columns),
                )
            seen.add(name)
        for column in self._columns:
            if column.name not in self.present and not column.optional:
                problems.add(self._file, self._line, column.name, _("this column is missing"))
        return problems.total == before

    def read(self, line: int, cells: list[str] | Wrong, problems: Problems) -> Row | None:
        """One row, or None after adding what is wrong with it."""
        before = problems.total
        if isinstance(cells, Wrong):
            problems.add_wrong(self._file, line, "", cells)
            return None
        if not self._right_width(line, cells, problems):
            return None
        values: list[Any] = []
        for column, cell in zip(self._in_order, cells, strict=False):
            assert column is not None
            value = None
            try:
                value = _value(column, cell)
            except Wrong as wrong:
                problems.add_wrong(self._file, line, column.name, wrong)
            values.append(value)
        return Row(line, self, values + self._absent) if problems.total == before else None

    def _right_width(self, line: int, cells: list[str], problems: Problems) -> bool:
        width = len(self._names)
        if len(cells) > width and any(cells[width:]):
            problems.add(
                self._file,
                line,
                self.column_at(width),
                _("this row has %(cells)s cells, the header %(names)s"),
                cells=len(cells),
                names=width,
            )
            return False
        if len(cells) < width:
            problems.add(
                self._file,
                line,
                self.column_at(len(cells)),
                _("this row has only %(cells)s cells, the header %(names)s"),
                cells=len(cells),
                names=width,
            )
            return False
        return True


def _value(column: Column, cell: str) -> Any:
    stripped = cell.strip()
    if not stripped:
        if column.required:
            raise Wrong(_("must be given"))
        return column.kind.nothing
    # strip() makes plain text of a Cell that remembers its origin, and such a Cell has nothing to strip
    return column.kind.read(cell if type(cell) is not str else stripped)


def read(
    source: "str | os.PathLike[str] | bytes | BinaryIO",
    columns: Sequence[Column],
    *,
    name: str | None = None,
    problems: Problems | None = None,
    limits: Limits = LIMITS,
    header_line: int = 1,
) -> list[Row]:
    """This function will read a whole file into memory, at most `limits.listed_rows` rows of it.

    Raises FileRefused with everything that is wrong; given `problems`, adds to them and gives the rest.
    """
    table = Table(source, columns, name=name, limits=limits, header_line=header_line)
    found = Problems() if problems is None else problems
    rows: list[Row] = []
    for row in table._pass(found):
        if len(rows) == limits.listed_rows:
            found.add(
                table.name,
                row.line,
                "",
                _("the file has more than %(limit)s rows: split it"),
                limit=limits.listed_rows,
            )
            break
        rows.append(row)
    if problems is None:
        found.refuse()
    return rows
