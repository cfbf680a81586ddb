"""Statements and the lines of their figures as files."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger.files.write import As, Field
from marketplace.web.exports import Sheet
from vouchers.models import Statement

HEADINGS = {
    "charge": _("Rent charged"),
    "carry_in": _("Carried in"),
    "earned": _("Earned this month"),
    "late": _("Late"),
    "reversed": _("Reversed"),
    "credit": _("Credit"),
    "lapsed": _("Lapsed"),
    "available": _("Available"),
    "cap": _("Cap"),
    "applied": _("Offset"),
    "carry_out": _("Carried on"),
    "cash_due": _("Cash due"),
}

OF_STATEMENTS = (
    Field(_("Lease"), width=10),
    Field(_("Premises"), width=24),
    Field(_("Operator"), width=24),
    Field(_("Month"), width=10),
    *(Field(HEADINGS[name], As.AMOUNT, width=14) for name in Statement.FIGURES),
    Field(_("Redemptions"), As.NUMBER, width=12),
    Field(_("Held for review"), As.NUMBER, width=12),
    Field(_("State"), width=16),
)

OF_CLAIMS = (
    Field(_("Redemption"), width=16),
    Field(_("Service date"), As.DATE, width=12),
    Field(_("Recorded"), As.TIME, width=20),
    Field(_("Elder"), width=10),
    Field(_("Premises"), width=24),
    Field(_("Service"), width=20),
    Field(_("Quantity"), As.NUMBER, width=10),
    Field(_("Voucher value"), As.AMOUNT, width=14),
    Field(_("Rate"), As.NUMBER, width=8),
    Field(_("Value × rate"), As.NUMBER, width=14),
)


def statements(rows: Iterable[Any], name: str = "statements") -> Sheet:
    """`rows`: see marketplace/web/listed.py."""
    return Sheet(
        name=name,
        title=name,
        fields=OF_STATEMENTS,
        rows=(
            [
                row.code,
                row.premises,
                row.operator,
                f"{row.month:%Y-%m}",
                *(getattr(row, figure) for figure in Statement.FIGURES),
                row.redemptions,
                row.under_review,
                Statement.State(row.state).label,
            ]
            for row in rows
        ),
    )


def claims(lines: Iterable[Any], name: str) -> Sheet:
    """`lines`: see marketplace/web/trace/lines.py: Line. Elders stand masked."""
    return Sheet(
        name=name,
        title=name,
        fields=OF_CLAIMS,
        rows=(
            [
                line.redemption.number,
                line.claim.service_on,
                line.redemption.recorded_at,
                line.redemption.elder.masked_name,
                line.redemption.lease.premises.name,
                line.redemption.service.name,
                line.redemption.quantity,
                line.value,
                line.rate,
                line.earns,
            ]
            for line in lines
        ),
    )


def changes(rows: Iterable[Any], names: Sequence[str], name: str) -> Sheet:
    """`rows`: see marketplace/web/bureau/totals.py: Change."""
    figures = [
        field
        for figure in names
        for field in (
            Field(HEADINGS[figure], As.AMOUNT, width=14),
            Field(_("change"), As.AMOUNT, width=12),
        )
    ]
    return Sheet(
        name=name,
        title=name,
        fields=(Field(_("Lease"), width=10), Field(_("Premises"), width=24), *figures),
        rows=(
            [
                row.either.code,
                row.either.premises,
                *(value for figure in names for value in (row.now_of(figure), row.of(figure))),
            ]
            for row in rows
        ),
    )
