"""The stored lines of an account around those of a file, and where balances break between them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from django.db.models import QuerySet

from ledger.banking.continuity import Break, Line, breaks, follow
from ledger.banking.layouts import BankRow
from ledger.journal.queries import day_of, midnight
from ledger.models import BankLine


def breaks_around(new: Sequence[BankRow]) -> list[Break]:
    """This function will name where balances would break once these lines of a file are stored.

    Account by account they are looked at together with what is stored from the last day before the file to
    the first day after it. Breaks between two stored lines are not this file's and left out.
    """
    by_account: dict[str, list[BankRow]] = {}
    for row in new:
        by_account.setdefault(row.account, []).append(row)
    found: list[Break] = []
    for account, rows in by_account.items():
        files: list[Sequence[Line]] = [*_files(_listed(_window(account, rows))), rows]
        found += [
            one for one in breaks(files) if isinstance(one.before, BankRow) or isinstance(one.after, BankRow)
        ]
    return found


def _window(account: str, rows: Sequence[BankRow]) -> QuerySet[BankLine]:
    first, last = min(row.booked_at for row in rows), max(row.booked_at for row in rows)
    stored = BankLine.objects.filter(account=account)
    begin, end = midnight(day_of(first)), midnight(day_of(last) + timedelta(days=1))
    before = (
        stored.filter(booked_at__lt=begin).order_by("-booked_at").values_list("booked_at", flat=True).first()
    )
    after = (
        stored.filter(booked_at__gte=end).order_by("booked_at").values_list("booked_at", flat=True).first()
    )
    if before:
        begin = midnight(day_of(before))
    if after:
        end = midnight(day_of(after) + timedelta(days=1))
    return stored.filter(booked_at__gte=begin, booked_at__lt=end)


def _listed(lines: QuerySet[BankLine]) -> QuerySet[BankLine]:
    """Account by account and file by file, with what a page says of a line."""
    return lines.defer("columns").select_related("file").order_by("account", "file_id", "line")


def _files(listed: Iterable[BankLine]) -> list[list[Line]]:
    """Lines that are ordered by file, as one list a file."""
    return [list(of_file) for _file, of_file in groupby(listed, key=lambda one: one.file_id)]


@dataclass(frozen=True, slots=True)
class Account:
    """One account as its stored lines tell it: how many, from and until when, the last balance
    where one is known, and the breaks."""

    number: str
    lines: int
    first: datetime
    last: datetime
    balance: Decimal | None
    breaks: list[Break]


def accounts(lines: QuerySet[BankLine]) -> Iterator[Account]:
    """This function will tell of each account whether its stored lines follow from one another. One query."""
    for number, of_account in groupby(_listed(lines).iterator(), key=lambda one: one.account):
        files = _files(of_account)
        broken, last = follow(files)
        times = [one.booked_at for file in files for one in file]
        balance = last.balance if last else None
        yield Account(number, len(times), min(times), max(times), balance, broken)
