"""Whether a service may be redeemed and how its price splits (rules.md sections 2 and 4). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ledger.money import ZERO
from vouchers.elders.eligibility import age_on
from vouchers.redemption.refusals import CannotRedeem
from vouchers.redemption.terms import LeaseTermsOf, PremisesTerms, ServiceTerms, Terms
from vouchers.wallets.allocate import Candidate, Line, allocate


@dataclass(frozen=True, slots=True)
class ElderFacts:
    """`had_today` is how much of the service the elder has had or ordered on the service date."""

    id: int
    birth_on: date
    died_on: date | None
    had_today: int


class VoucherFacts(NamedTuple):
    id: int
    programme_id: int
    valid_until: date
    spendable: Decimal


@dataclass(frozen=True, slots=True)
class Split:
    """How the price of a whole quantity is paid, in yuan: the parts add up to `list_price`."""

    list_price: Decimal
    government: Decimal
    concession: Decimal
    charity: Decimal
    vouchers: Decimal
    self_pay: Decimal


@dataclass(frozen=True, slots=True)
class Judged:
    lease: LeaseTermsOf
    service: ServiceTerms
    split: Split
    lines: list[Line]


def references(terms: Terms, premises: str, service: str) -> tuple[PremisesTerms, ServiceTerms]:
    try:
        return terms.premises[premises], terms.services[service]
    except KeyError:
        raise CannotRedeem("unknown_reference") from None


def judge(
    *,
    terms: Terms,
    premises: str,
    service: str,
    quantity: int,
    service_on: date,
    elder: ElderFacts | None,
    vouchers: Iterable[VoucherFacts],
) -> Judged:
    """The checks in their order, the price, and the vouchers that pay it.

    `vouchers` are the elder's that hold something and are valid on the service date.
    Raises CannotRedeem with the first code that applies.
    """
    place, wanted = references(terms, premises, service)
    if elder is None:
        raise CannotRedeem("unknown_reference")
    lease = place.lease_on(service_on)
    if lease is None:
        raise CannotRedeem("no_lease")
    if not lease.operator.may_serve(service_on):
        raise CannotRedeem("operator_suspended")
    if not place.has(wanted.id, service_on):
        raise CannotRedeem("service_not_offered")
    if elder.died_on is not None and elder.died_on <= service_on:
        raise CannotRedeem("elder_deceased")
    row = wanted.price_on(service_on, age_on(elder.birth_on, service_on))
    if row is None:
        raise CannotRedeem("no_price")
    if wanted.daily_limit is not None and elder.had_today + quantity > wanted.daily_limit:
        raise CannotRedeem("daily_limit")

    price = row.elder_price * quantity
    lines = allocate(price, candidates(terms, wanted, lease, price, service_on, vouchers))
    paid = sum((line.amount for line in lines), ZERO)
    split = Split(
        list_price=row.list_price * quantity,
        government=row.government * quantity,
        concession=row.concession * quantity,
        charity=row.charity * quantity,
        vouchers=paid,
        self_pay=price - paid,
    )
    if not (split.vouchers or split.government or split.charity):
        raise CannotRedeem("nothing_spendable")
    return Judged(lease, wanted, split, lines)


def candidates(
    terms: Terms,
    service: ServiceTerms,
    lease: LeaseTermsOf,
    price: Decimal,
    day: date,
    vouchers: Iterable[VoucherFacts],
) -> list[Candidate]:
    found = []
    for voucher in vouchers:
        programme = terms.programmes[voucher.programme_id]
        if programme.covers(service, lease, price, day):
            found.append(
                Candidate(
                    voucher.id,
                    programme.id,
                    programme.code,
                    programme.settlement,
                    voucher.valid_until,
                    voucher.spendable,
                    programme.divisible,
                    programme.max_share,
                )
            )
    return found
