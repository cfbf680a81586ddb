"""What a programme would do, before it is one. Reads; changes nothing.

Who would get it, what it would cost, and what last quarter's redemptions would have earned under its terms:
the wallets of that quarter are played again with vouchers of these terms alone, by the allocation that pays
redemptions and the reckoning that draws up statements.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, Sum

from ledger.journal.queries import last_day, next_month, previous_month
from ledger.money import ZERO
from providers.divisions.queries import ids_under
from providers.models import Division, Lease
from vouchers.elders.eligibility import Conditions, Person, is_eligible
from vouchers.programmes import schedule
from vouchers.programmes.models import Programme
from vouchers.programmes.operations import affordable, eligible_by_division
from vouchers.redemption.models import Claim, Redemption
from vouchers.settlement.queries import lease_facts
from vouchers.settlement.reckon import Figures, Month, Sums, reckon
from vouchers.wallets.allocate import Candidate, allocate

PLAYED = 50_000
"""Redemptions played at most; of more, every n-th elder is taken with all of theirs, and the sums are raised."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Who would get vouchers on the day `on`; `streets`: name and elders, most first. Values in yuan."""

    on: date
    elders: int
    streets: list[tuple[str, int]]
    served: int
    left_out: int
    vouchers: int
    value: Decimal
    periods: int
    most: Decimal


@dataclass(frozen=True, slots=True)
class Played:
    """One month played again: what the vouchers would have paid, and what was paid in truth, in yuan.

    `would` and `was` are the lease's figures under either; None for programmes that pay out.
    """

    month: date
    redeemed: Decimal
    redeemed_then: Decimal
    would: Figures | None
    was: Figures | None


@dataclass(slots=True)
class Replay:
    months: list[Played] = field(default_factory=list)
    redemptions: int = 0
    one_in: int = 1

    @property
    def redeemed(self) -> Decimal:
        return sum((month.redeemed for month in self.months), ZERO)

    @property
    def redeemed_then(self) -> Decimal:
        return sum((month.redeemed_then for month in self.months), ZERO)

    @property
    def credit(self) -> Decimal:
        return sum((month.would.credit for month in self.months if month.would), ZERO)

    @property
    def applied(self) -> Decimal:
        return sum((month.would.applied for month in self.months if month.would), ZERO)

    @property
    def applied_then(self) -> Decimal:
        return sum((month.was.applied for month in self.months if month.was), ZERO)

    @property
    def cash_due(self) -> Decimal:
        return sum((month.would.cash_due for month in self.months if month.would), ZERO)


def reach(programme: Programme, *, codes: Collection[str], today: date) -> Reach:
    """This function will count who would be served on the programme's next day of issue, and what that costs.

    `programme` need not be stored; `codes` are those of the divisions that it names. The register counts as
    it stands. `most` is what all its periods would issue if everybody stayed, within the budget.
    """
    days = schedule.issue_days(
        cadence=programme.cadence, starts_on=programme.starts_on, ends_on=programme.ends_on
    )
    if programme.lease_id:
        lease = Lease.objects.get(pk=programme.lease_id)
        days = [day for day in days if lease.starts_on <= day <= lease.ends_on]
    on = next((day for day in days if day >= today), days[-1] if days else programme.starts_on)
    counts = eligible_by_division(programme, on, codes=codes)
    elders = sum(counts.values())
    served = min(elders, affordable(programme)) if days else 0
    one = programme.per_elder * programme.face_value
    most = one * served * len(days)
    if programme.budget is not None:
        most = min(most, programme.budget)
    return Reach(
        on=on,
        elders=elders,
        streets=_by_street(counts),
        served=served,
        left_out=elders - served,
        vouchers=served * programme.per_elder,
        value=one * served,
        periods=len(days),
        most=most,
    )


def _by_street(counts: dict[int, int]) -> list[tuple[str, int]]:
    rows = {row.pk: row for row in Division.objects.order_by("code")}
    streets: dict[int, int] = defaultdict(int)
    for pk, count in counts.items():
        row = rows[pk]
        while row.level == Division.Level.COMMUNITY and row.parent_id:
            row = rows[row.parent_id]
        streets[row.pk] += count
    found = [(rows[pk].name, count) for pk, count in streets.items()]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def last_quarter(today: date) -> list[date]:
    """The first days of the last three whole months."""
    months = [previous_month(today.replace(day=1))]
    while len(months) < 3:
        months.insert(0, previous_month(months[0]))
    return months


def replay(
    programme: Programme, *, codes: Collection[str], months: Sequence[date], played: int = PLAYED
) -> Replay:
    """This function will play the redemptions of these months again under the programme's terms.

    1. Give every eligible elder the vouchers of each period, as if it had issued in these months.
    2. Let them pay each redemption that the terms cover, in the order of service, by `allocate`.
    3. Reckon the lease's months from that, and from what it earned in truth, by `reckon`: from no credit
       before, so that the terms stand beside each other.

    Redemptions that were reversed do not count. Other programmes' vouchers are left out of the play; ability
    and groups are those of the register today.
    """
    rows = _covered(programme, months)
    found = Replay(redemptions=rows.count())
    found.one_in = -(-found.redemptions // played) if found.redemptions else 1
    paid: dict[date, Decimal] = defaultdict(lambda: ZERO)
    wallets = _Wallets(programme, codes=codes, months=months)
    for service_on, elder, price in _in_order(rows, found.one_in):
        if price < programme.min_spend:
            continue
        lines = allocate(price, wallets.of(elder, service_on))
        for line in lines:
            wallets.spend(line.voucher_id, line.amount)
            paid[service_on.replace(day=1)] += line.amount * found.one_in
    then = _then(programme, months)
    would = _figures(programme, months, paid)
    was = _figures(programme, months, then)
    found.months = [
        Played(month, paid[month], then.get(month, ZERO), would.get(month), was.get(month))
        for month in months
    ]
    return found


def _covered(programme: Programme, months: Sequence[date]) -> Any:
    """The redemptions of these months whose service and place the programme's terms cover."""
    rows = Redemption.objects.filter(
        service_on__gte=months[0],
        service_on__lt=next_month(months[-1]),
        reversed_on=None,
        service__category__in=programme.categories,
    )
    if programme.scope == Programme.Scope.PREMISES:
        rows = rows.filter(lease=programme.lease_id)
    elif programme.scope == Programme.Scope.OPERATOR:
        rows = rows.filter(lease__operator__leases=programme.lease_id)
    return rows


def _in_order(rows: Any, one_in: int) -> Iterator[tuple[date, "_Elder", Decimal]]:
    """Service date, the elder with their id, and what the elder's price was, in order of service."""
    if one_in > 1:
        rows = rows.annotate(turn=F("elder_id") % one_in).filter(turn=0)
    values = rows.order_by("happened_at", "id").values_list(
        "service_on", "elder_id", "elder__birth_on", "elder__died_on", "elder__ability_level",
        "elder__categories", "elder__division_id", "elder__same_as_id", "vouchers", "self_pay",
    )  # fmt: skip
    for day, pk, born, died, ability, groups, division, same_as, vouchers, own in values.iterator(
        chunk_size=2000
    ):
        person = Person(born, died, ability, groups, division, same_as is not None)
        yield day, _Elder(pk, person), vouchers + own


@dataclass(frozen=True, slots=True)
class _Elder:
    pk: int
    person: Person


class _Wallets:
    """The vouchers that each elder would have had, made when first asked for."""

    def __init__(self, programme: Programme, *, codes: Collection[str], months: Sequence[date]) -> None:
        self._programme = programme
        self._conditions = Conditions(
            min_age=programme.min_age,
            min_ability=programme.min_ability,
            any_of=programme.any_of,
            division_ids=ids_under(codes) if codes else None,
        )
        first, last = months[0], last_day(months[-1])
        days = [first] if programme.cadence == Programme.Cadence.ONCE else list(months)
        if programme.cadence == Programme.Cadence.QUARTERLY:
            days = sorted({max(first, _quarter(month)) for month in months})
        ends = last if programme.cadence == Programme.Cadence.ONCE else date.max
        self._periods = [
            (
                day,
                schedule.valid_until(
                    cadence=programme.cadence, ends_on=ends, valid_days=programme.valid_days, day=day
                ),
            )
            for day in days
        ]
        self._left: dict[int, Decimal] = {}
        self._of: dict[int, list[tuple[int, date, date]]] = {}

    def of(self, elder: _Elder, day: date) -> Iterable[Candidate]:
        """What this elder could spend on that day."""
        if elder.pk not in self._of:
            self._of[elder.pk] = list(self._issue(elder))
        programme = self._programme
        return [
            Candidate(
                voucher_id=number,
                programme_id=0,
                programme=programme.code,
                settlement=programme.settlement,
                valid_until=until,
                remaining=self._left[number],
                divisible=programme.divisible,
                max_share=programme.max_share,
            )
            for number, since, until in self._of[elder.pk]
            if since <= day <= until and self._left[number]
        ]

    def spend(self, number: int, amount: Decimal) -> None:
        self._left[number] -= amount

    def _issue(self, elder: _Elder) -> Iterator[tuple[int, date, date]]:
        for since, until in self._periods:
            if is_eligible(elder.person, self._conditions, since):
                for _n in range(self._programme.per_elder):
                    number = len(self._left)
                    self._left[number] = self._programme.face_value
                    yield number, since, until


def _quarter(month: date) -> date:
    return month.replace(month=max(first for first in schedule.QUARTERS if first <= month.month))


def _then(programme: Programme, months: Sequence[date]) -> dict[date, Decimal]:
    """What was redeemed in truth, by month: by the same lease's vouchers, or without a lease by all that the terms cover."""
    if programme.lease_id:
        claims = Claim.objects.filter(
            lease=programme.lease_id,
            service_on__gte=months[0],
            service_on__lt=next_month(months[-1]),
            reversed_on=None,
        )
        sums = [claims.filter(_within(month)).aggregate(sum=Sum("amount"))["sum"] for month in months]
    else:
        rows = _covered(programme, months)
        sums = [rows.filter(_within(month)).aggregate(sum=Sum("vouchers"))["sum"] for month in months]
    return {month: total or ZERO for month, total in zip(months, sums, strict=True)}


def _within(month: date) -> Q:
    return Q(service_on__gte=month, service_on__lt=next_month(month))


def _figures(
    programme: Programme, months: Sequence[date], values: dict[date, Decimal]
) -> dict[date, Figures]:
    """The lease's months with these values redeemed, from no credit before."""
    if programme.settlement != Programme.Settlement.OFFSET or not programme.lease_id:
        return {}
    (facts,) = lease_facts(Lease.objects.filter(pk=programme.lease_id))
    past: list[Month] = []
    found = {}
    for month in months:
        sums = Sums({month: values.get(month, ZERO)}, {})
        found[month] = done = reckon(lease=facts, month=month, sums=sums, history=past)
        past.append(Month(month, done.credit, done.applied))
    return found
