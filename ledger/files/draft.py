"""What loading one file would change, worked out whole before anything is written.

    draft = Draft("operators.csv", problems, by="clerk", at=now)
    for row in draft.once(rows, "code"):
        ... draft.find(row, "premises", known), draft.revise(...), draft.create(...)
    problems.refuse()
    draft.write()

Rows of the same load may refer to each other before they are stored: new rows are unsaved instances until
`write`, which stores them in the order in which they were drafted.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from ledger.files.kinds import shown
from ledger.files.problems import Problems
from ledger.files.table import Row

BATCH = 1_000
CODES_NOTED = 50

M = TypeVar("M", bound=Model)


class Draft:
    """The problems of one file, how many of its rows are new, changed or unchanged, and what to write.

    `by`, `at`: who loads, and when, for rows that keep that themselves. `differences`: of each changed row,
    by its code, what each field was and is, as text; of a new row, nothing.
    """

    def __init__(self, file: str, problems: Problems, *, by: str, at: datetime) -> None:
        self.file = file
        self.by, self.at = by, at
        self.new = self.changed = self.unchanged = 0
        self.differences: dict[str, dict[str, list[str]]] = {}
        self.told: list[
            tuple[int, str, str]
        ] = []  # line, code and columns, "new" or "changed": the first ones
        self._revised: dict[str, list[str]] = {}
        self._problems = problems
        self._changed_codes: list[str] = []
        self._steps: list[Callable[[], Any]] = []

    # Checking

    def problem(self, row: Row, column: str, message: Any, /, **values: Any) -> None:
        self._problems.add(self.file, row.line, column, message, **values)

    def once(self, rows: Iterable[Row], *columns: str) -> list[Row]:
        """The rows whose values in `columns` stand in no line before them; the others are problems."""
        first: dict[tuple, int] = {}
        kept = []
        for row in rows:
            key = tuple(row[column] for column in columns)
            line = first.setdefault(key, row.line)
            if line == row.line:
                kept.append(row)
            else:
                self.problem(
                    row,
                    columns[-1],
                    _("'%(value)s' stands in line %(line)s already"),
                    value=shown(" ".join(map(str, key))),
                    line=line,
                )
        return kept

    def find(self, row: Row, column: str, known: Mapping[str, M]) -> M | None:
        """What the code in this cell names, in the database or in this load; None, with a problem, if nothing."""
        found = known.get(row[column])
        if found is None:
            self.problem(
                row,
                column,
                _("'%(code)s' is unknown: neither on record nor in the files of this load"),
                code=row[column],
            )
        return found

    # The difference

    def revise(
        self,
        row: Row,
        instance: Model,
        values: Mapping[str, Any],
        *,
        free: Container[str] = (),
        in_use: Callable[[], bool] = lambda: False,
        advice: Any = "",
    ) -> list[str]:
        """This function will set on `instance` what `values` has differently, and name what that was.

        Once the row is in use only the `free` columns may change: others are problems that end in `advice`.
        Names of fields and columns are the same. Nothing is written yet.
        """
        changes = [name for name, value in values.items() if not same(instance, name, value)]
        fixed = [name for name in changes if name not in free]
        if fixed and in_use():
            for name in fixed:
                self.problem(
                    row,
                    name,
                    _("is '%(old)s' on record and cannot change: it is in use. %(advice)s"),
                    old=_quoted(getattr(instance, name)),
                    advice=advice,
                )
            return []
        for name in changes:
            self._revised[name] = [told(getattr(instance, name)), told(values[name])]
            setattr(instance, name, values[name])
        return changes

    def note(self, name: str, old: Any, new: Any) -> None:
        """Tell of a change of this row that `revise` has not seen."""
        self._revised[name] = [told(old), told(new)]

    def tally(self, code: str, *, new: bool = False, changed: bool = False) -> None:
        """Count one row of the file; what was revised since the row before belongs to it."""
        revised, self._revised = self._revised, {}
        if new:
            self.new += 1
            self.differences[code] = {}
        elif changed:
            self.changed += 1
            self.differences[code] = revised
            if len(self._changed_codes) < CODES_NOTED:
                self._changed_codes.append(code)
        else:
            self.unchanged += 1

    # Writing

    def create(self, instances: Sequence[Model]) -> None:
        """Store these when the draft is written; all of one model."""
        if instances:
            self.then(lambda: _create(instances))

    def update(self, instance: Model, names: Sequence[str], *, early: bool = False) -> None:
        """Write these fields when the draft is written; `early` before all else, to make room for it."""
        if names:
            self._steps.insert(0 if early else len(self._steps), lambda: instance.save(update_fields=names))

    def then(self, step: Callable[[], Any]) -> None:
        """Do this when the draft is written, after what was drafted before."""
        self._steps.append(step)

    def write(self) -> None:
        for step in self._steps:
            step()

    @property
    def detail(self) -> dict[str, Any]:
        """For the audit: counts, and the codes of the first rows changed; nothing personal."""
        counts = {"new": self.new, "changed": self.changed, "unchanged": self.unchanged}
        return {**counts, "changed_codes": self._changed_codes} if self._changed_codes else counts

    def __str__(self) -> str:
        return f"{self.file}: new {self.new}, changed {self.changed}, unchanged {self.unchanged}"


def same(instance: Model, name: str, value: Any) -> bool:
    """Whether a field holds this value; rows that are not stored yet are the same only as themselves."""
    held = getattr(instance, name)
    if isinstance(value, Model):
        return held is value or (value.pk is not None and held is not None and held.pk == value.pk)
    return bool(held == value)


def told(value: Any) -> str:
    """A value as the audit tells of it."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ";".join(map(told, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(getattr(value, "code", value))


def _create(instances: Sequence[Model]) -> None:
    type(instances[0])._default_manager.bulk_create(instances, batch_size=BATCH)


def _quoted(value: Any) -> str:
    return shown(str(getattr(value, "code", value)) if value is not None else "")
