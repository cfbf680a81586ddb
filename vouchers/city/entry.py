"""Entering a row or two of a register by hand: the same checks and the same writing as a file of such rows.

row = row_of("premises", premises)          # as a file would say it today
enter(name="premises", rows=[{**row, "market_rent": "900"}], seen=digest(row), ...)
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record_differences
from ledger.files.draft import Draft, told
from ledger.files.problems import Problems
from ledger.files.table import read
from ledger.files.write import as_file
from ledger.journal.operations import exclusive, hold_journal_open
from providers.known import Known
from providers.models import Division, Lease, Operator, Premises, Service
from vouchers.city.operations import FILES, CannotLoad, moved
from vouchers.city.uses import Uses
from vouchers.programmes.models import Programme

WAIT_SECONDS = 5

MODELS: dict[str, type[Model]] = {
    "divisions": Division,
    "operators": Operator,
    "premises": Premises,
    "leases": Lease,
    "services": Service,
    "programmes": Programme,
}


class Changed(Exception):
    """Somebody has changed the row since it was shown. Nothing is written."""

    def __str__(self) -> str:
        return str(
            _(
                "Somebody has changed this meanwhile: what you typed is still here, and nothing was saved. Look at the record again, then decide."
            )
        )


class Taken(Exception):
    """A new record's code stands on the register already. Nothing is written."""

    def __str__(self) -> str:
        return str(_("This code stands on the register already: another record needs another code."))


def row_of(name: str, instance: Any) -> dict[str, str]:
    """What a file of this register says of `instance` today, as text by column. A lease with its newest terms."""
    columns, _plan = FILES[name]
    values: dict[str, Any] = {}
    if name == "leases":
        newest = max(instance.terms.all(), key=lambda terms: terms.starts_on, default=None)
        values = {
            column.name: getattr(newest, column.name)
            for column in columns
            if newest is not None and not hasattr(instance, column.name)
        }
    if name == "programmes":
        values = {"divisions": sorted(division.code for division in instance.divisions.all())}
    return {
        column.name: told(values.get(column.name, getattr(instance, column.name, None))) for column in columns
    }


def digest(row: Mapping[str, str]) -> str:
    """What tells whether a row is still the one that was shown."""
    return hashlib.sha256(json.dumps(dict(row), sort_keys=True).encode()).hexdigest()[:32]


def enter(
    *,
    name: str,
    rows: Sequence[Mapping[str, str]],
    by: Any,
    at: datetime,
    seen: str = "",
    new: bool = False,
    dry_run: bool = False,
    channel: str = "web",
) -> Draft:
    """This function will take rows of one register as a file of them would be taken.

    1. Keep loads, imports, issues, expiries and closings out, and months from being locked.
    2. Refuse when the first row's record is no longer the one of which `seen` is the digest, or is to be
       `new` and is there.
    3. Check the rows whole; write them, and note of each what was and what is. With `dry_run` nothing.

    `rows` are texts by column; a column that is left out is not given. Raises: FileRefused with everything
    that is wrong, by line (2 is the first row) and column; Changed; Taken; CannotLoad; Busy.
    """
    with exclusive(f"enter_{name}", wait_seconds=WAIT_SECONDS):
        try:
            with transaction.atomic():
                hold_journal_open()
                return take(
                    name=name, rows=rows, by=by, at=at, seen=seen, new=new, dry_run=dry_run, channel=channel
                )
        except IntegrityError as error:
            raise CannotLoad(moved(error)) from error


def take(
    *,
    name: str,
    rows: Sequence[Mapping[str, str]],
    by: Any,
    at: datetime,
    seen: str = "",
    new: bool = False,
    dry_run: bool = False,
    channel: str = "web",
) -> Draft:
    """`enter` within a transaction and an exclusive run of the caller's own."""
    columns, plan = FILES[name]
    assert plan is not None
    if new and MODELS[name]._default_manager.filter(code=rows[0]["code"]).exists():
        raise Taken
    if seen:
        _check_unchanged(name, rows[0].get("code"), seen)
    problems = Problems()
    draft = Draft(f"{name}.csv", problems, by=name_of(by), at=at)
    source = as_file([column.name for column in columns], rows)
    read_rows = read(source, columns, name=draft.file, problems=problems)
    plan(rows=read_rows, draft=draft, known=Known(Uses()))
    problems.refuse()
    if not dry_run:
        draft.write()
        record_differences(draft.differences, what=name, by=by, at=at, channel=channel)
    return draft


def _check_unchanged(name: str, code: str | None, seen: str) -> None:
    """`code` is None where a register's rows have none: then nothing can have been seen."""
    found = MODELS[name]._default_manager.filter(code=code).first() if code else None
    if found is None or digest(row_of(name, found)) != seen:
        raise Changed
