"""Whether the balances of an account follow from one another. Pure: files of lines in, the breaks out.

Lines come from any number of files, stored or not, of one account; what they tell is put in one order first.
A break means that a line between is missing, or that one stands there twice.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain, groupby
from typing import Protocol, TypeAlias

from ledger.journal.queries import day_of


class Line(Protocol):
    """What a line must tell: a BankRow of a file or a BankLine that is stored. Amounts in yuan."""

    @property
    def line(self) -> int: ...
    @property
    def account(self) -> str: ...
    @property
    def booked_at(self) -> datetime: ...
    @property
    def direction(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def balance(self) -> Decimal | None: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def occurrence(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Break:
    """Two lines of one account that should follow each other, and do not."""

    before: Line
    after: Line

    @property
    def missing(self) -> Decimal:
        """What the lines between must have moved, in yuan; below zero it went out."""
        assert self.before.balance is not None
        return _begins(self.after) - self.before.balance

    @property
    def mark(self) -> str:
        """The same for the same two lines, wherever they are read from."""
        return ":".join(f"{one.fingerprint[:16]}.{one.occurrence}" for one in (self.before, self.after))


def breaks(files: Iterable[Sequence[Line]]) -> list[Break]:
    """Where the lines of one account break, oldest first; `files` as of `follow`."""
    return follow(files)[0]


def follow(files: Iterable[Sequence[Line]]) -> tuple[list[Break], Line | None]:
    """This function will put the lines of one account in order: where they break, and the last one.

    `files`: the lines of each file, in its order, the earlier file first. Banks write the oldest line first or
    last. Within a day any order that follows is right, as not all banks tell the hour; a day on which a line
    has no balance tells nothing (and has no last line).
    """
    lines = sorted(chain.from_iterable(map(_oldest_first, files)), key=lambda one: one.booked_at)
    found: list[Break] = []
    last: Line | None = None
    for _day, of_day in groupby(lines, key=lambda one: day_of(one.booked_at)):
        listed = list(of_day)
        if any(one.balance is None for one in listed):
            last = None
            continue
        orders = (listed, listed[::-1])
        tried = [list(way(order, last)) for way in (_as_listed, _walk) for order in orders]
        fewest = min(tried, key=_broken)
        found += [Break(before, after) for before, after, follows in fewest if before and not follows]
        last = fewest[-1][1]
    return found, last


def _oldest_first(listed: Sequence[Line]) -> Sequence[Line]:
    return listed[::-1] if listed and listed[0].booked_at > listed[-1].booked_at else listed


def _begins(line: Line) -> Decimal:
    """The balance before this line."""
    assert line.balance is not None
    return line.balance - line.amount if line.direction == "in" else line.balance + line.amount


Step: TypeAlias = tuple[Line | None, Line, bool]


def _broken(steps: list[Step]) -> int:
    return sum(before is not None and not follows for before, _after, follows in steps)


def _as_listed(listed: Sequence[Line], last: Line | None) -> Iterator[Step]:
    """One day's lines as they stand."""
    for line in listed:
        yield last, line, last is not None and last.balance == _begins(line)
        last = line


def _walk(listed: Sequence[Line], last: Line | None) -> Iterator[Step]:
    """One day's lines, each after the one it follows from: (line before, line, whether it follows).

    Where nothing follows, it goes on with the first line to which no other line of the day leads.
    """
    waiting: dict[Decimal, deque[Line]] = defaultdict(deque)
    for one in listed:
        waiting[_begins(one)].append(one)
    surplus = Counter(_begins(one) for one in listed)
    surplus.subtract(one.balance for one in listed if one.balance is not None)
    # Each is taken once, so all together they are looked through once.
    starts = iter([*(one for one in listed if surplus[_begins(one)] > 0), *listed])
    taken: set[int] = set()
    while len(taken) < len(listed):
        fitting = waiting[last.balance] if last is not None and last.balance is not None else None
        while fitting and id(fitting[0]) in taken:
            fitting.popleft()
        line = fitting[0] if fitting else next(one for one in starts if id(one) not in taken)
        yield last, line, bool(fitting)
        taken.add(id(line))
        last = line
