"""Loading a city's files: all of them checked whole, then all written, in one transaction."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record, record_differences
from ledger.files.draft import Draft
from ledger.files.problems import Problems
from ledger.files.table import Column, Table, read
from ledger.journal.operations import exclusive
from providers.adaptation import operations as adaptation
from providers.divisions import operations as divisions
from providers.known import Known
from providers.leases import operations as leases
from providers.operators import operations as operators
from providers.premises import operations as premises
from providers.services import cash_prices
from providers.services import operations as services
from vouchers.city.uses import Uses
from vouchers.elders import register as elders
from vouchers.programmes import register as programmes
from vouchers.review import staff

SUFFIXES = (".csv", ".xlsx")

# In the order in which one file may refer to another.
FILES: dict[str, tuple[list[Column], Callable[..., None] | None]] = {
    "divisions": (divisions.COLUMNS, divisions.plan_divisions),
    "operators": (operators.COLUMNS, operators.plan_operators),
    "premises": (premises.COLUMNS, premises.plan_premises),
    "leases": (leases.COLUMNS, leases.plan_leases),
    "services": (services.SERVICES, services.plan_services),
    "offers": (services.OFFERS, services.plan_offers),
    "service_prices": (services.PRICES, services.plan_prices),
    "adaptation_services": (adaptation.COLUMNS, adaptation.plan_items),
    "programmes": (programmes.COLUMNS, programmes.plan_programmes),
    # What the review rules know besides.
    "cash_prices": (cash_prices.COLUMNS, cash_prices.plan_cash_prices),
    "staff": (staff.COLUMNS, staff.plan_staff),
    "elders": (elders.COLUMNS, None),  # of any length: read row by row
}


class CannotLoad(Exception):
    """There is nothing to load, or the register moved meanwhile; the text is a sentence. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """`files`: one draft for each file, in order, with its counts. `left_out`: tables that are not known."""

    files: list[Draft]
    left_out: list[str]

    @property
    def nothing_changed(self) -> bool:
        return not any(draft.new or draft.changed for draft in self.files)


def load_city(
    *,
    directory: Path,
    by: Any,
    at: datetime,
    dry_run: bool = False,
    progress: elders.Progress = lambda done, total, what: None,
) -> Loaded:
    """This function will load whichever of the files of contracts.md `directory` holds.

    1. Check every file whole, also against each other and the register; work out what changes.
    2. Anything wrong in any of them: nothing is loaded.
    3. Write the differences in order, with one audit record for each file. With `dry_run` nothing.

    Excludes other loads, imports, issues, expiries and closings. The same files again change nothing.
    Raises: FileRefused with everything that is wrong; CannotLoad; Busy.
    """
    found, left_out = _find(directory)
    with nullcontext() if dry_run else exclusive("load_city"):
        try:
            with transaction.atomic():
                drafts = _plan(found, by=by, at=at, progress=progress)
                if dry_run:
                    return Loaded(drafts, left_out)
                for draft in drafts:
                    draft.write()
                    record(
                        by=by,
                        at=at,
                        action="load_file",
                        subject=draft.file,
                        detail=draft.detail,
                        channel="file",
                    )
                    record_differences(draft.differences, what=Path(draft.file).stem, by=by, at=at)
        except IntegrityError as error:
            raise CannotLoad(moved(error)) from error
    return Loaded(drafts, left_out)


def _find(directory: Path) -> tuple[dict[str, Path], list[str]]:
    """The files to load by what they hold, and the names of other tables that lie there."""
    if not directory.is_dir():
        raise CannotLoad(_("“%(path)s” is not a directory.") % {"path": directory})
    there = sorted(path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES)
    known = {name + suffix: name for name in FILES for suffix in SUFFIXES}
    problems = Problems()
    found: dict[str, Path] = {}
    for path in there:
        name = known.get(path.name)
        if name in found:
            problems.add(
                path.name, 1, "", _("%(other)s is there too: keep one of them"), other=found[name].name
            )
        elif name:
            found[name] = path
    problems.refuse()
    if not found:
        raise CannotLoad(
            _("“%(path)s” holds none of the files that can be loaded: %(names)s (CSV or XLSX).")
            % {"path": directory, "names": ", ".join(FILES)}
        )
    return found, [path.name for path in there if path.name not in known]


def _plan(found: dict[str, Path], *, by: Any, at: datetime, progress: elders.Progress) -> list[Draft]:
    problems, known = Problems(), Known(Uses())
    drafts = []
    for name, (columns, plan) in FILES.items():
        if name not in found:
            continue
        path = found[name]
        drafts.append(draft := Draft(path.name, problems, by=name_of(by), at=at))
        if plan:
            plan(rows=read(path, columns, problems=problems), draft=draft, known=known)
        else:
            elders.plan_elders(
                table=Table(path, columns),
                problems=problems,
                draft=draft,
                known=known,
                by=by,
                at=at,
                progress=progress,
            )
    problems.refuse()
    return drafts


def moved(error: IntegrityError) -> str:
    """Whatever was checked holds no more: somebody else wrote in between. Never quotes the database's detail."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return str(
        _("The register was changed by someone else meanwhile (%(rule)s); nothing was loaded. Try again.")
        % {"rule": getattr(diagnosis, "constraint_name", None) or "-"}
    )
