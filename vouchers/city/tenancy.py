"""New terms, the end of a lease, and a new operator for its premises (rules.md sections 3, 4 and 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Sum
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record_differences
from ledger.files import kinds
from ledger.files.draft import Draft, told
from ledger.files.problems import FileRefused, Problems
from ledger.files.table import Column, Row, read
from ledger.files.write import as_file
from ledger.journal.operations import exclusive, hold_journal_open
from ledger.refusals import Refusal
from providers.leases.operations import COLUMNS, TERMS
from providers.models import Lease, LeaseTerms, RentCharge
from vouchers.city.entry import WAIT_SECONDS, Changed, digest, row_of, take
from vouchers.city.operations import CannotLoad, moved
from vouchers.programmes.models import Programme
from vouchers.settlement.models import Statement
from vouchers.wallets.models import Hold, Voucher

SENTENCES = {
    "not_first": _("New terms begin on the first of a month: write the day as 2026-09-01."),
    "outside": _("New terms begin after the lease has begun and before it ends."),
    "locked": _("That month is locked. New terms begin on %(day)s or later."),
    "approved": _("The statement of that month is approved already. New terms begin in a later month."),
    "vouchers_outstanding": _(
        "Elders still hold vouchers that can be spent only under this lease, the last until %(day)s. They are honoured: the lease ends on that day or later, and no new ones are issued beyond its end."
    ),
    "end_refused": _("The lease that runs cannot end on that day: %(why)s"),
}


class CannotChange(Refusal):
    """A lease cannot be changed so; `code` is one of SENTENCES. Nothing is written."""

    sentences = SENTENCES

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.values = values

    def __str__(self) -> str:
        sentence = super().__str__()
        return sentence % self.values if self.values else sentence


TERMS_COLUMNS = [
    Column("starts_on", kinds.DATE),
    *(column for column in COLUMNS if column.name in TERMS),
]


def read_terms(row: Mapping[str, str]) -> Row:
    """The terms in this row of text, typed. Raises FileRefused with everything that is wrong."""
    problems = Problems()
    names = [column.name for column in TERMS_COLUMNS]
    rows = read(as_file(names, [row]), TERMS_COLUMNS, name="terms", problems=problems)
    if not rows and not problems:  # a row of empty cells is none to a file
        problems.add("terms", 2, "starts_on", _("must be given"))
    problems.refuse()
    return rows[0]


def set_terms(
    *, lease: Lease, row: Mapping[str, str], seen: str, by: Any, at: datetime, dry_run: bool = False
) -> LeaseTerms:
    """This function will give a lease new terms from the first of a month on.

    1. Keep that month from being locked, and its statements from being approved meanwhile.
    2. Refuse when the lease is no longer as `seen`, when the day is no first of an open month within the
       lease, or when a statement from that month on is approved.
    3. Write the version; one that begins on the same day and counts nowhere yet is corrected.

    `row` is text by column of TERMS_COLUMNS. With `dry_run` all is checked and nothing written. Raises
    FileRefused, CannotChange, Changed, Busy.
    """
    new = read_terms(row)
    starts_on: date = new["starts_on"]
    with exclusive("set_terms", wait_seconds=WAIT_SECONDS), transaction.atomic():
        first_open = hold_journal_open()
        lease = Lease.objects.select_for_update(no_key=True).get(pk=lease.pk)
        list(Statement.objects.select_for_update().filter(lease=lease, month__gte=starts_on).order_by("id"))
        _check_seen(lease, seen)
        if starts_on.day != 1:
            raise CannotChange("not_first")
        if not lease.starts_on < starts_on <= lease.ends_on:
            raise CannotChange("outside")
        if first_open and starts_on < first_open:
            raise CannotChange("locked", day=first_open)
        if RentCharge.objects.filter(lease=lease, month__gte=starts_on).exists():
            raise CannotChange("approved")
        old = LeaseTerms.objects.filter(lease=lease, starts_on__lte=starts_on).order_by("-starts_on").first()
        values = {name: new[name] for name in TERMS}
        if dry_run:
            return LeaseTerms(lease=lease, starts_on=starts_on, **values)
        terms, _made = LeaseTerms.objects.update_or_create(lease=lease, starts_on=starts_on, defaults=values)
        was = {name: told(getattr(old, name)) for name in TERMS}
        changed = {
            name: [was[name], told(value)] for name, value in values.items() if was[name] != told(value)
        }
        record_differences(
            {lease.code: {"terms_from": ["", starts_on.isoformat()], **changed}},
            what="leases", by=by, at=at, channel="web",
        )  # fmt: skip
    return terms


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What elders hold of one programme that can be spent only under its lease, the last of it until `until`."""

    programme: str
    name: str
    vouchers: int
    elders: int
    value: Decimal
    until: date


def outstanding(lease: Lease, *, after: date) -> list[Outstanding]:
    """What could no longer be spent if the lease ended on the day `after`. Vouchers good anywhere are not there."""
    only_there = Voucher.objects.filter(
        programme__lease=lease,
        programme__scope__in=[Programme.Scope.PREMISES, Programme.Scope.OPERATOR],
        valid_until__gt=after,
        expired_on=None,
        voided_on=None,
    ).exclude(remaining=0, held=0)
    found = (
        only_there.order_by()
        .values_list("programme__code", "programme__name")
        .annotate(
            vouchers=Count("id"),
            elders=Count("elder_id", distinct=True),
            value=Sum(F("remaining") + F("held")),
            until=Max("valid_until"),
        )
    )
    return [Outstanding(*row) for row in found.order_by("programme__code")]


def open_orders(lease: Lease, *, after: date) -> int:
    """How many orders are open for a day after `after` at the lease's premises."""
    return Hold.objects.filter(
        premises=lease.premises_id, state=Hold.State.OPEN, service_on__gt=after
    ).count()


def end_lease(
    *, lease: Lease, ends_on: date, seen: str, by: Any, at: datetime, dry_run: bool = False
) -> Draft:
    """This function will move the last day of a lease.

    1. Keep issues, imports and closings out, and months from being locked.
    2. Refuse while elders hold vouchers that could not be spent after it.
    3. Move the end (never into a locked month or before a redemption), and with it the end of the
       programmes whose vouchers are good only there: what they issue from now on ends with the lease.

    With `dry_run` all is done and taken back. Raises CannotChange, FileRefused, Changed, CannotLoad, Busy.
    """
    with exclusive("end_lease", wait_seconds=WAIT_SECONDS):
        try:
            with transaction.atomic():
                draft = _end(lease=lease, ends_on=ends_on, seen=seen, by=by, at=at)
                transaction.set_rollback(dry_run)
                return draft
        except IntegrityError as error:
            raise CannotLoad(moved(error)) from error


def change_operator(
    *,
    lease: Lease,
    ends_on: date,
    seen: str,
    row: Mapping[str, str],
    by: Any,
    at: datetime,
    dry_run: bool = False,
) -> Draft:
    """This function will end a lease and begin another of the same premises the day after, or neither.

    `row` is the new lease as text by column of leases.csv; premises and first day follow from the old one.
    What elders hold is honoured as by `end_lease`. Raises what that raises, and Taken.
    """
    starts_on = told(ends_on + timedelta(days=1))
    new = {**row, "premises": lease.premises.code, "starts_on": starts_on}
    with exclusive("change_operator", wait_seconds=WAIT_SECONDS):
        try:
            with transaction.atomic():
                try:
                    _end(lease=lease, ends_on=ends_on, seen=seen, by=by, at=at)
                except FileRefused as refused:  # not to be taken for what is wrong with the new lease
                    raise CannotChange("end_refused", why=refused.problems[0].sentence) from None
                draft = take(name="leases", rows=[new], new=True, by=by, at=at)
                transaction.set_rollback(dry_run)
                return draft
        except IntegrityError as error:
            raise CannotLoad(moved(error)) from error


def _end(*, lease: Lease, ends_on: date, seen: str, by: Any, at: datetime) -> Draft:
    hold_journal_open()
    lease = Lease.objects.select_for_update(no_key=True).get(pk=lease.pk)
    _check_seen(lease, seen)
    if ends_on < lease.ends_on and (left := outstanding(lease, after=ends_on)):
        raise CannotChange("vouchers_outstanding", day=max(one.until for one in left))
    draft = take(name="leases", rows=[{**row_of("leases", lease), "ends_on": told(ends_on)}], by=by, at=at)
    bound = Programme.objects.filter(
        lease=lease,
        scope__in=[Programme.Scope.PREMISES, Programme.Scope.OPERATOR],
        starts_on__lte=ends_on,
        ends_on__gt=ends_on,
    )
    rows = [{**row_of("programmes", one), "ends_on": told(ends_on)} for one in bound.order_by("code")]
    if rows:
        take(name="programmes", rows=rows, by=by, at=at)
    return draft


def _check_seen(lease: Lease, seen: str) -> None:
    if digest(row_of("leases", lease)) != seen:
        raise Changed
