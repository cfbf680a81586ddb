"""What an elder has in hand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Sum

from ledger.money import ZERO
from vouchers.elders.models import Elder
from vouchers.programmes.models import Programme
from vouchers.wallets.models import Voucher

SOON_DAYS = 7


@dataclass(frozen=True, slots=True)
class Ticket:
    """Vouchers of one programme and one validity, taken together. Yuan: `left` is free to spend, `held` set aside by
    orders, `face` what they were issued with."""

    programme: Programme
    valid_from: date
    valid_until: date
    vouchers: int
    face: Decimal
    left: Decimal
    held: Decimal

    def begins_later(self, today: date) -> bool:
        return self.valid_from > today

    def ends_soon(self, today: date) -> bool:
        return (self.valid_until - today).days < SOON_DAYS and not self.begins_later(today)


def in_hand(*, elder: Elder, today: date) -> list[Ticket]:
    """What the elder can spend today or later, what ends first first. Two queries."""
    open_ = Voucher.objects.filter(elder=elder, expired_on=None, voided_on=None, valid_until__gte=today)
    groups = list(
        open_.exclude(remaining=0, held=0)
        .values("programme_id", "valid_from", "valid_until")
        .annotate(vouchers=Count("id"), face=Sum("face_value"), left=Sum("remaining"), set_aside=Sum("held"))
        .order_by("valid_until", F("programme__code"), "valid_from")
    )
    programmes = Programme.objects.select_related("lease__premises", "lease__operator").in_bulk(
        {group["programme_id"] for group in groups}
    )
    return [
        Ticket(
            programmes[group["programme_id"]],
            group["valid_from"],
            group["valid_until"],
            group["vouchers"],
            group["face"],
            group["left"],
            group["set_aside"],
        )
        for group in groups
    ]


def spendable(tickets: Iterable[Ticket], today: date) -> Decimal:
    """Yuan that can be spent today."""
    return sum((ticket.left for ticket in tickets if not ticket.begins_later(today)), ZERO)
