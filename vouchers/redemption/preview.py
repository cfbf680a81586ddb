"""What vouchers would pay of several services, one after another, as orders placed now would take them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db.models import Sum

from vouchers.elders.models import Elder
from vouchers.redemption import terms
from vouchers.redemption.judge import ElderFacts, Split, VoucherFacts, judge
from vouchers.redemption.models import Redemption
from vouchers.redemption.refusals import CannotRedeem
from vouchers.wallets.models import Hold, Voucher


class Wanted(NamedTuple):
    """`quantity` of a service at premises (both by code) on a day."""

    premises: str
    service: str
    quantity: int
    on: date


@dataclass(frozen=True, slots=True)
class Outlook:
    """Exactly one of the two is there."""

    split: Split | None = None
    refusal: CannotRedeem | None = None


def preview(*, elder: Elder, wanted: Sequence[Wanted]) -> list[Outlook]:
    """This function will judge services in their order, what the earlier ones take being gone for the later.

    Nothing is locked or written. Four queries, however many are wanted.
    """
    known = terms.current()
    had = _had(elder, {one.on for one in wanted})
    vouchers = list(Voucher.objects.filter(elder=elder, expired_on=None, remaining__gt=0).order_by("id"))
    left = {voucher.pk: voucher.remaining for voucher in vouchers}
    outlooks = []
    for one in wanted:
        service = known.services.get(one.service)
        day = (service.id if service else 0, one.on)
        try:
            judged = judge(
                terms=known,
                premises=one.premises,
                service=one.service,
                quantity=one.quantity,
                service_on=one.on,
                elder=ElderFacts(elder.pk, elder.birth_on, elder.died_on, had[day]),
                vouchers=[
                    VoucherFacts(voucher.pk, voucher.programme_id, voucher.valid_until, left[voucher.pk])
                    for voucher in vouchers
                    if left[voucher.pk] > 0 and voucher.valid_from <= one.on <= voucher.valid_until
                ],
            )
        except CannotRedeem as refusal:
            outlooks.append(Outlook(refusal=refusal))
            continue
        had[day] += one.quantity
        for line in judged.lines:
            left[line.voucher_id] -= line.amount
        outlooks.append(Outlook(split=judged.split))
    return outlooks


def _had(elder: Elder, days: set[date]) -> dict[tuple[int, date], int]:
    """How much of each service the elder has had or ordered on each of these days."""
    had: dict[tuple[int, date], int] = defaultdict(int)
    redeemed = Redemption.objects.filter(elder=elder, service_on__in=days, reversed_on=None)
    ordered = Hold.objects.filter(elder=elder, service_on__in=days, state=Hold.State.OPEN)
    for rows in (redeemed, ordered):
        sums = rows.order_by().values_list("service_id", "service_on").annotate(Sum("quantity"))
        for service, on, quantity in sums:
            had[service, on] += quantity
    return had
