"""Posting, reversing, locking. Everything that writes the journal except the redemption's one statement."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from time import monotonic, sleep
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from ledger import chart
from ledger.audit.operations import name_of, record
from ledger.journal.guards import JOURNAL_LOCK, RUN_LOCK
from ledger.journal.models import Account, Entry, Period, Transfer
from ledger.journal.queries import first_open_day, next_month
from ledger.outbox.operations import owe


class Move(NamedTuple):
    """From `debit` to `credit` (account names), `amount` yuan; a negative amount goes the other way round."""

    debit: str
    credit: str
    amount: Decimal


def account_ids(names: Iterable[str]) -> dict[str, int]:
    """The ids of these accounts by name; those that are new are opened."""
    wanted = set(names)
    found = dict(Account.objects.filter(name__in=wanted).values_list("name", "id"))
    missing = sorted(wanted - found.keys())
    if missing:
        Account.objects.bulk_create(
            [Account(name=name, commodity=chart.commodity(name)) for name in missing], ignore_conflicts=True
        )
        found.update(Account.objects.filter(name__in=missing).values_list("name", "id"))
    return found


def hold_journal_open() -> date | None:
    """Keep months from being locked until this transaction ends; the first open day, None while all are.

    Take it before the locks of vouchers or statements.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_first_open_day()")
        return cursor.fetchone()[0]


def post(
    *,
    key: str,
    kind: str,
    dated_on: date,
    at: datetime,
    moves: Sequence[Move],
    link: str = "",
    reverses: Entry | None = None,
) -> Entry:
    """This function will post one entry, once for its key.

    1. Answer a key that was posted before with its entry.
    2. Date it: where the month of `dated_on` is locked, the first day of the first open month.
    3. Write the entry and its transfers; moves of nothing are left out.
    """
    existing = Entry.objects.filter(key=key).first()
    if existing:
        return existing
    with transaction.atomic():
        first_open = hold_journal_open()
        entry = Entry.objects.create(
            key=key,
            kind=kind,
            dated_on=max(dated_on, first_open) if first_open else dated_on,
            recorded_at=at,
            link=link,
            reverses=reverses,
        )
        write_transfers(entry, moves)
    return entry


def write_transfers(entry: Entry, moves: Sequence[Move]) -> None:
    moves = [turned(move) for move in moves if move.amount]
    ids = account_ids(name for move in moves for name in (move.debit, move.credit))
    Transfer.objects.bulk_create(
        Transfer(
            entry=entry,
            line=line,
            debit_id=ids[move.debit],
            credit_id=ids[move.credit],
            commodity=chart.commodity(move.debit),
            amount=move.amount,
        )
        for line, move in enumerate(moves, 1)
    )


def turned(move: Move) -> Move:
    """The same move with an amount above zero."""
    return move if move.amount > 0 else Move(move.credit, move.debit, -move.amount)


def mirror(entry: Entry) -> list[Move]:
    """The moves that undo an entry."""
    return [
        Move(transfer.credit.name, transfer.debit.name, transfer.amount)
        for transfer in entry.transfers.select_related("debit", "credit").order_by("line")
    ]


def lock_month(*, month: date, by: Any, at: datetime) -> bool:
    """This function will lock a month (its first day) and all before it; True when it was open.

    It waits for postings in flight, so run it in a transaction that holds no other lock.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [JOURNAL_LOCK])
        first_open = first_open_day()
        if first_open and month < first_open:
            return False
        # Nobody posts now, so what is dated here was recorded before this moment, whatever `at` says of a
        # long run's beginning: verify_ledger relies on it.
        recorded = Entry.objects.filter(dated_on__lt=next_month(month), dated_on__gte=first_open or date.min)
        last = recorded.aggregate(last=Max("recorded_at"))["last"]
        Period.objects.create(month=month, locked_at=max(at, last or at), locked_by=name_of(by))
        record(by=by, at=at, action="lock_month", subject=f"{month:%Y-%m}")
        owe(key=f"export_books:{month:%Y-%m}", topic="export_books", payload={}, at=at)
    return True


class Busy(Exception):
    """Another load, import, issue, expiry or closing is under way and did not end in time."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return str(
            _("Another run is under way (%(name)s). Try again when it has ended.") % {"name": self.name}
        )


@contextmanager
def exclusive(name: str, *, wait_seconds: float = 600) -> Iterator[None]:
    """Keep other loads, imports, issues, expiries and closings out while this one runs (rules.md section 7).

    Waits for the one before. The lock belongs to the database session: it is gone with the process that
    held it, whatever happens to it. Raises Busy after `wait_seconds`.
    """
    deadline = monotonic() + wait_seconds
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [RUN_LOCK])
            if cursor.fetchone()[0]:
                break
            if monotonic() > deadline:
                raise Busy(name)
            sleep(0.2)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [RUN_LOCK])
