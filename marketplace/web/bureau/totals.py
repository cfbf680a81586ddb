"""Sums of a month's rows, and what still stands between a month and its lock. Plain arithmetic."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from vouchers.models import Statement

ZERO = Decimal("0.00")
COMPARED = ("charge", "credit", "applied", "cash_due", "carry_out")


@dataclass
class Totals:
    """The column sums; every one of them adds up as its rows do."""

    leases: int = 0
    figures: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(Statement.FIGURES, ZERO))
    redemptions: int = 0
    under_review: int = 0
    states: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Any]) -> "Totals":
        """Of rows in memory, as marketplace/web/listed.py gives them."""
        totals = cls()
        for row in rows:
            totals.leases += 1
            for name in Statement.FIGURES:
                totals.figures[name] += getattr(row, name)
            totals.redemptions += row.redemptions
            totals.under_review += row.under_review
            totals.states[row.state] = totals.states.get(row.state, 0) + 1
        return totals

    @classmethod
    def asked(cls, statements: QuerySet[Statement]) -> "Totals":
        """Of rows that nobody looks at: the database sums them up."""
        totals = cls()
        counts = ("redemptions", "under_review")
        sums: dict[str, Any] = {f"sum_{name}": Sum(name) for name in (*counts, *Statement.FIGURES)}
        of_state: Iterable[Any] = statements.order_by().values("state").annotate(n=Count("pk"), **sums)
        for row in of_state:
            totals.leases += row["n"]
            for name in Statement.FIGURES:
                totals.figures[name] += row[f"sum_{name}"]
            totals.redemptions += row["sum_redemptions"]
            totals.under_review += row["sum_under_review"]
            totals.states[row["state"]] = row["n"]
        return totals

    @property
    def waiting(self) -> int:
        return self.leases - self.states.get(Statement.State.APPROVED, 0)

    @property
    def share_offset(self) -> Decimal:
        """What part of the rent is offset, to a tenth of a percent."""
        charge = self.figures["charge"]
        return (self.figures["applied"] / charge).quantize(Decimal("0.001")) if charge else ZERO


@dataclass(frozen=True)
class Change:
    """One lease's row of a month beside that of the month before; either may be missing."""

    now: Any | None
    before: Any | None

    @property
    def either(self) -> Any:
        return self.now or self.before

    def now_of(self, name: str) -> Decimal | None:
        return getattr(self.now, name) if self.now else None

    def of(self, name: str) -> Decimal:
        """By how many yuan a figure has changed; what is missing counts as nothing."""
        return (getattr(self.now, name) if self.now else ZERO) - (
            getattr(self.before, name) if self.before else ZERO
        )
