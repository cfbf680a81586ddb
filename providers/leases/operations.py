"""Loading leases with their first terms."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.files import kinds
from ledger.files.draft import Draft, same
from ledger.files.kinds import shown
from ledger.files.table import Column, Row
from ledger.journal.operations import account_ids
from providers.known import Known
from providers.leases.models import Lease, LeaseTerms
from providers.terms_ends import check_end

COLUMNS = [
    Column("code", kinds.CODE),
    Column("premises", kinds.CODE),
    Column("operator", kinds.CODE),
    Column("starts_on", kinds.DATE),
    Column("ends_on", kinds.DATE),
    Column("monthly_rent", kinds.YUAN),
    Column("rent_free_until", kinds.DATE, required=False),
    Column("offset_rate", kinds.decimal(places=4, high=Decimal("999.9999"))),
    Column("offset_cap", kinds.decimal(places=4, high=Decimal(1))),
    Column("carry_months", kinds.integer(0, 1200)),
    Column("basis", kinds.choice(*Lease.Basis.values), required=False, optional=True),
    Column("decision_no", kinds.text(60), required=False, optional=True),
]
TERMS = ("monthly_rent", "rent_free_until", "offset_rate", "offset_cap", "carry_months")
ACCOUNTS = (
    chart.receivable_rent,
    chart.rent_income,
    chart.rent_offset,
    chart.offset_credit,
    chart.offset_lapsed,
)

_NEW_LEASE = _("Put the old value back; another lease gets a row and a code of its own.")
_NEW_TERMS = _(
    "Put the old value back; new terms of a lease begin on the first of an open month and are entered on its page."
)


def plan_leases(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what leases.csv changes.

    1. A new row makes a lease, its terms from its first day on, and its accounts.
    2. A lease in use keeps everything but its end, which is never earlier than the end of a locked month or
       a redemption; basis and decision number may be filled in.
    3. Two leases of one premises never overlap.
    """
    rows = draft.once(rows, "code")
    lines: dict[str, Row] = {}
    fresh: list[Lease] = []
    for row in rows:
        premises = draft.find(row, "premises", known.premises)
        operator = draft.find(row, "operator", known.operators)
        if row["ends_on"] < row["starts_on"]:
            draft.problem(
                row, "ends_on", _("lies before the lease's first day, %(day)s"), day=row["starts_on"]
            )
            continue
        if premises is None or operator is None:
            continue
        values = {
            "premises": premises,
            "operator": operator,
            "starts_on": row["starts_on"],
            "ends_on": row["ends_on"],
        }
        values |= {name: row[name] for name in ("basis", "decision_no") if row[name]}
        lines[row["code"]] = row
        lease = known.leases.get(row["code"])
        if lease is None:
            known.leases[row["code"]] = lease = Lease(code=row["code"], **values)
            fresh.append(lease)
            _check_start(row, draft, known)
            draft.tally(lease.code, new=True)
        else:
            draft.tally(lease.code, changed=_revise(row, lease, values, draft, known))
    _check_overlaps(lines, draft, known)
    draft.create(fresh)
    draft.create([_terms_of(lease, lines[lease.code]) for lease in fresh])
    draft.then(lambda: account_ids(account(row["code"]) for row in rows for account in ACCOUNTS))


def _terms_of(lease: Lease, row: Row) -> LeaseTerms:
    return LeaseTerms(lease=lease, starts_on=lease.starts_on, **{name: row[name] for name in TERMS})


def _revise(row: Row, lease: Lease, values: dict, draft: Draft, known: Known) -> bool:
    """Draft what differs of a lease on record; whether anything did."""
    in_use = known.uses.lease_in_use(lease) if _differs(row, lease, values) else False
    free = {"ends_on"} | {name for name in ("basis", "decision_no") if not getattr(lease, name)}
    if in_use:
        check_end(
            row,
            "ends_on",
            old=lease.ends_on,
            new=row["ends_on"],
            last_service=known.uses.last_service_of_lease(lease),
            draft=draft,
            known=known,
        )
        _check_revival(row, lease, draft, known)
    old_start, shrinks = lease.starts_on, row["ends_on"] <= lease.ends_on
    changes = draft.revise(row, lease, values, free=free, in_use=lambda: in_use, advice=_NEW_LEASE)
    draft.update(lease, changes, early=shrinks)
    return _revise_terms(row, lease, old_start, in_use, draft) or bool(changes)


def _differs(row: Row, lease: Lease, values: dict) -> bool:
    own = any(not same(lease, name, value) for name, value in values.items())
    return own or not _on_record(row, list(lease.terms.all()))


def _on_record(row: Row, dated: Sequence[LeaseTerms]) -> bool:
    """Whether the row's terms are those of some day: the file may say the first ones, or the newest."""
    return any(all(same(terms, name, row[name]) for name in TERMS) for terms in dated)


def _revise_terms(row: Row, lease: Lease, old_start: date, in_use: bool, draft: Draft) -> bool:
    dated = sorted(lease.terms.all(), key=lambda terms: terms.starts_on)
    first = dated[0]
    values = {name: row[name] for name in TERMS} if not _on_record(row, dated) else {}
    if first.starts_on == old_start and not in_use:
        values["starts_on"] = lease.starts_on
    changes = draft.revise(row, first, values, in_use=lambda: in_use, advice=_NEW_TERMS)
    draft.update(first, changes)
    return bool(changes)


def _check_start(row: Row, draft: Draft, known: Known) -> None:
    """A new lease starts in an open month: rent of a locked one would never be charged."""
    first_open = known.first_open_day
    if first_open and row["starts_on"] < first_open:
        draft.problem(
            row,
            "starts_on",
            _("lies in a month that is locked: a lease new on record starts on %(day)s or later"),
            day=first_open,
        )


def _check_revival(row: Row, lease: Lease, draft: Draft, known: Known) -> None:
    """A lease that ended within a locked month stays ended: the days after it were never charged."""
    first_open = known.first_open_day
    if first_open and lease.ends_on < row["ends_on"] and lease.ends_on < first_open - timedelta(days=1):
        draft.problem(
            row,
            "ends_on",
            _(
                "the lease ended on %(day)s, in a month that is locked: what follows is a lease with a code of its own"
            ),
            day=lease.ends_on,
        )


def _check_overlaps(lines: dict[str, Row], draft: Draft, known: Known) -> None:
    by_premises: dict[str, list[Lease]] = {}
    for lease in known.leases.values():
        by_premises.setdefault(lease.premises.code, []).append(lease)
    for leases in by_premises.values():
        leases.sort(key=lambda lease: (lease.starts_on, lease.code))
        for n, lease in enumerate(leases):
            for other in leases[n + 1 :]:
                if other.starts_on > lease.ends_on:
                    break
                # the row to mend is the later one in the file, or the one that is in the file at all
                mine, theirs = sorted((lease, other), key=lambda one: _line(lines, one), reverse=True)
                if mine.code in lines:
                    _tell_overlap(lines[mine.code], theirs, lines.get(theirs.code), draft)


def _line(lines: dict[str, Row], lease: Lease) -> int:
    return lines[lease.code].line if lease.code in lines else 0


def _tell_overlap(row: Row, theirs: Lease, their_row: Row | None, draft: Draft) -> None:
    where = _("line %(line)s") % {"line": their_row.line} if their_row else _("on record")
    draft.problem(
        row,
        "starts_on",
        _("overlaps lease %(lease)s of the same premises, %(from)s to %(until)s (%(where)s)"),
        lease=shown(theirs.code),
        until=theirs.ends_on,
        where=where,
        **{"from": theirs.starts_on},
    )
