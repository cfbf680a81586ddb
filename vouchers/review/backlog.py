"""Questions about cases: what waits, for how long, of which rule, and what became of those decided."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger.money import ZERO
from vouchers.redemption.models import Redemption
from vouchers.settlement.models import ReviewCase

# From so many days on; the last reaches without end.
AGES: tuple[tuple[int, Promise], ...] = (
    (0, _("up to 2 days")),
    (3, _("3 to 7 days")),
    (8, _("8 to 30 days")),
    (31, _("over 30 days")),
)


@dataclass(slots=True)
class Line:
    """The open cases of one rule: how many, how many of them hold, the oldest."""

    rule: str
    open: int
    held: int
    oldest: datetime | None
    ages: list[int]


@dataclass(slots=True)
class Backlog:
    """`waiting`: how many redemptions are held back, `value` theirs in yuan: each once, whatever holds it."""

    lines: list[Line] = field(default_factory=list)
    waiting: int = 0
    value: Decimal = ZERO

    @property
    def open(self) -> int:
        return sum(line.open for line in self.lines)

    @property
    def held(self) -> int:
        return sum(line.held for line in self.lines)

    @property
    def marked(self) -> int:
        return self.open - self.held

    @property
    def oldest(self) -> datetime | None:
        return min((line.oldest for line in self.lines if line.oldest), default=None)

    @property
    def ages(self) -> list[tuple[int, Promise, int]]:
        """(from days on, label, how many) of all rules."""
        return [
            (days, label, sum(line.ages[n] for line in self.lines)) for n, (days, label) in enumerate(AGES)
        ]


def backlog(cases: QuerySet[ReviewCase], *, at: datetime) -> Backlog:
    """What is open of `cases`, most of it first. Two queries."""
    starts = [days for days, _label in AGES]
    buckets = {}
    for n, days in enumerate(starts):
        younger = Q(opened_at__lte=at - timedelta(days=days)) if days else Q()
        older = Q(opened_at__gt=at - timedelta(days=starts[n + 1])) if n + 1 < len(starts) else Q()
        buckets[f"age{n}"] = Count("id", filter=younger & older)
    rows: Iterable[Any] = (
        cases.filter(decision="")
        .order_by()
        .values("reason")
        .annotate(
            open=Count("id"),
            held=Count("id", filter=Q(holds=True)),
            oldest=Min("opened_at"),
            **buckets,
        )
    )
    waiting = waiting_redemptions(cases).aggregate(n=Count("id"), value=Sum("vouchers"))
    return Backlog(
        sorted(
            (
                Line(
                    row["reason"],
                    row["open"],
                    row["held"],
                    row["oldest"],
                    [row[f"age{n}"] for n in range(len(AGES))],
                )
                for row in rows
            ),
            key=lambda line: (-line.held, -line.open, line.rule),
        ),
        waiting["n"],
        waiting["value"] or ZERO,
    )


def waiting_redemptions(cases: QuerySet[ReviewCase]) -> QuerySet[Redemption]:
    """The redemptions that `cases` hold back, each once."""
    return Redemption.objects.filter(pk__in=cases.filter(decision="", holds=True).values("redemption"))


def older_than(cases: QuerySet[ReviewCase], days: int, *, at: datetime) -> QuerySet[ReviewCase]:
    return cases.filter(opened_at__lte=at - timedelta(days=days))


def decided_by_rule(cases: QuerySet[ReviewCase]) -> dict[str, dict[str, int]]:
    """By rule, how many of `cases` were released, rejected and so on. One query."""
    found: dict[str, dict[str, int]] = {}
    rows = cases.exclude(decision="").order_by().values_list("reason", "decision").annotate(n=Count("id"))
    for rule, decision, count in rows:
        found.setdefault(rule, {})[decision] = count
    return found
