"""What items cost an elder: quotes made of price rows and of what vouchers would pay on the day."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Prefetch, Q, QuerySet

from ledger.money import ZERO
from providers.models import ItemService, Premises, Price
from vouchers.adaptation.models import PlanLine
from vouchers.adaptation.refusals import CannotAdapt
from vouchers.adaptation.terms import MOST_QUANTITY, Parts
from vouchers.elders.eligibility import age_on
from vouchers.elders.models import Elder
from vouchers.redemption import preview
from vouchers.redemption.refusals import CannotRedeem


class Wanted(NamedTuple):
    """`quantity` of a service (by code); `own`: the family pays it wholly."""

    service: str
    quantity: int
    own: bool = False


def offered(premises: Premises, on: date) -> QuerySet[ItemService]:
    """The items that these premises deliver, each with its service and the price rows of that day."""
    in_force = Price.objects.filter(Q(valid_until=None) | Q(valid_until__gte=on), valid_from__lte=on)
    return (
        ItemService.objects.filter(service__offers__premises=premises, service__prices__in=in_force)
        .distinct()
        .select_related("service")
        .prefetch_related(Prefetch("service__prices", in_force.order_by("min_age"), to_attr="of_day"))
        .order_by("code", "service__code")
    )


def price_for(tie: ItemService, elder: Elder, on: date) -> Price | None:
    """The price row of that day for somebody of this elder's age."""
    age = age_on(elder.birth_on, on)
    for row in tie.service.of_day:  # type: ignore[attr-defined]
        if (row.min_age is None or row.min_age <= age) and (row.max_age is None or age <= row.max_age):
            return row
    return None


def quote(*, elder: Elder, premises: Premises, wanted: Sequence[Wanted], on: date) -> list[PlanLine]:
    """The lines of a plan, not stored, vouchers taken by one line being gone for the next. Nothing is set aside.

    Raises: CannotAdapt no_line, quantity, not_an_item, item_twice, or the code of the line that cannot be paid.
    """
    if not wanted:
        raise CannotAdapt("no_line")
    ties = {tie.service.code: tie for tie in offered(premises, on)}
    lines: list[PlanLine] = []
    for one in wanted:
        tie = ties.get(one.service)
        if tie is None:
            raise CannotAdapt("not_an_item", what=one.service)
        if not 1 <= one.quantity <= MOST_QUANTITY:
            raise CannotAdapt("quantity", what=tie.item)
        if any(line.code == tie.code for line in lines):
            raise CannotAdapt("item_twice", what=tie.item)
        row = price_for(tie, elder, on)
        if row is None:
            raise CannotAdapt("no_price", what=tie.item, cause=CannotRedeem("no_price"))
        lines.append(
            PlanLine(code=tie.code, service=tie.service, price=row, quantity=one.quantity, own=one.own)
        )
    paid = [line for line in lines if not line.own]
    outlooks = preview.preview(
        elder=elder,
        wanted=[preview.Wanted(premises.code, line.service.code, line.quantity, on) for line in paid],
    )
    for line, outlook in zip(paid, outlooks, strict=True):
        if outlook.split is None:
            assert outlook.refusal is not None
            raise CannotAdapt(outlook.refusal.code, what=line.item, cause=outlook.refusal)
        _fill(line, Parts(*(getattr(outlook.split, part) for part in Parts._fields)))
    for line in lines:
        if line.own:
            listed, concession = line.price.list_price * line.quantity, line.price.concession * line.quantity
            _fill(line, Parts(listed, ZERO, concession, ZERO, ZERO, listed - concession))
    return lines


def _fill(line: PlanLine, parts: Parts) -> None:
    for name, value in zip(Parts._fields, parts, strict=True):
        setattr(line, name, value)
