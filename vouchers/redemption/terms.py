"""Terms that rarely change - premises, leases, operators, services, prices, programmes - kept in memory.

A process reads them once and keeps them until `providers_termsversion` moves (triggers raise it in the
transaction of any change). All objects here are plain values; the rules in judge.py work on them alone.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection, transaction

from ledger import chart
from ledger.journal.operations import account_ids
from providers.models import (
    Lease,
    Offer,
    Operator,
    Premises,
    Price,
    SafetyCheck,
    Service,
    Suspension,
    TermsVersion,
)
from providers.operators.queries import SAFETY_CHECK_DAYS
from vouchers.programmes.models import Programme


@dataclass(slots=True)
class OperatorTerms:
    code: str
    payable: int
    checks: list[date] = field(default_factory=list)
    suspensions: list[tuple[date, date | None]] = field(default_factory=list)

    def may_serve(self, day: date) -> bool:
        """Not suspended (first day inclusive, day of reinstatement exclusive), and checked within 365 days."""
        if any(start <= day and (until is None or day < until) for start, until in self.suspensions):
            return False
        latest = bisect_right(self.checks, day)
        return latest > 0 and day - self.checks[latest - 1] <= timedelta(days=SAFETY_CHECK_DAYS)


@dataclass(frozen=True, slots=True)
class LeaseTermsOf:
    id: int
    code: str
    operator: OperatorTerms
    starts_on: date
    ends_on: date

    def in_force(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on


@dataclass(slots=True)
class PremisesTerms:
    id: int
    code: str
    leases: list[LeaseTermsOf] = field(default_factory=list)
    offers: dict[int, date | None] = field(default_factory=dict)  # service id: last day, None open

    def lease_on(self, day: date) -> LeaseTermsOf | None:
        return next((lease for lease in self.leases if lease.in_force(day)), None)

    def has(self, service: int, day: date) -> bool:
        """Whether the service is offered here on that day."""
        return service in self.offers and ((last := self.offers[service]) is None or day <= last)


@dataclass(frozen=True, slots=True)
class PriceRow:
    valid_from: date
    valid_until: date | None
    min_age: int | None
    max_age: int | None
    list_price: Decimal
    government: Decimal
    concession: Decimal
    charity: Decimal

    @property
    def elder_price(self) -> Decimal:
        return self.list_price - self.government - self.concession - self.charity

    def fits(self, day: date, age: int) -> bool:
        return (
            self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
            and (self.min_age is None or self.min_age <= age)
            and (self.max_age is None or age <= self.max_age)
        )


@dataclass(slots=True)
class ServiceTerms:
    id: int
    code: str
    category: str
    daily_limit: int | None
    prices: list[PriceRow] = field(default_factory=list)

    def price_on(self, day: date, age: int) -> PriceRow | None:
        return next((price for price in self.prices if price.fits(day, age)), None)


@dataclass(frozen=True, slots=True)
class ProgrammeTerms:
    """The accounts are ids of the journal's accounts of this programme."""

    id: int
    code: str
    settlement: str
    scope: str
    lease: LeaseTermsOf | None
    divisible: bool
    max_share: Decimal
    min_spend: Decimal
    categories: frozenset[str]
    outstanding: int
    held: int
    redeemed: int
    expense: int

    def covers(self, service: ServiceTerms, lease: LeaseTermsOf, price: Decimal, day: date) -> bool:
        """Whether vouchers of this programme may pay `price` of `service` under `lease` on `day`."""
        if service.category not in self.categories or self.min_spend > price:
            return False
        if self.scope == Programme.Scope.CITY or self.lease is None:
            return True
        if self.scope == Programme.Scope.PREMISES:
            return self.lease.id == lease.id
        return self.lease.in_force(day) and self.lease.operator.code == lease.operator.code


@dataclass(slots=True)
class Terms:
    version: int
    premises: dict[str, PremisesTerms]
    services: dict[str, ServiceTerms]
    programmes: dict[int, ProgrammeTerms]
    subsidy: int
    charity: int
    committed: bool = False

    def service_id(self, code: str) -> int | None:
        service = self.services.get(code)
        return service.id if service else None

    def premises_id(self, code: str) -> int | None:
        premises = self.premises.get(code)
        return premises.id if premises else None

    def commit(self) -> None:
        """The transaction in which these were read, and which may have opened accounts for them, has ended well."""
        self.committed = True

    def stand(self) -> bool:
        """Whether that transaction has not been rolled back: it is committed, or the one we are in."""
        return self.committed or any(
            callback == self.commit for _ids, callback, *_ in connection.run_on_commit
        )


_kept: dict[str, Terms] = {}  # by database name: tests clone databases


def kept() -> Terms | None:
    """The terms in memory, whatever their version."""
    known = _kept.get(connection.settings_dict["NAME"])
    return known if known and known.stand() else None


def current() -> Terms:
    """The terms as the database has them now; read again only when their version has moved."""
    while True:
        version = TermsVersion.objects.values_list("version", flat=True).get()
        known = kept()
        if known and known.version == version:
            return known
        # A change committed while we read shows as a newer version on the next turn of the loop.
        try:
            read = _read(version)
        except KeyError:
            if TermsVersion.objects.values_list("version", flat=True).get() == version:
                raise
            continue  # a row came in between our queries, and the version with it
        transaction.on_commit(read.commit)
        _kept[connection.settings_dict["NAME"]] = read


def _read(version: int) -> Terms:
    programmes = list(Programme.objects.order_by("code"))
    operators = list(Operator.objects.order_by("code"))
    names = [chart.SUBSIDY_GOVERNMENT, chart.FUND_CHARITY]
    names += [chart.payable(operator.code) for operator in operators]
    for programme in programmes:
        names += _accounts(programme.code)
    accounts = account_ids(names)

    operator_terms = {row.id: OperatorTerms(row.code, accounts[chart.payable(row.code)]) for row in operators}
    for check in SafetyCheck.objects.order_by("checked_on"):
        operator_terms[check.operator_id].checks.append(check.checked_on)
    for suspension in Suspension.objects.order_by("starts_on"):
        operator_terms[suspension.operator_id].suspensions.append(
            (suspension.starts_on, suspension.reinstated_on)
        )
    premises = {row.id: PremisesTerms(row.id, row.code) for row in Premises.objects.order_by("code")}
    leases = {}
    for lease in Lease.objects.order_by("starts_on"):
        leases[lease.id] = terms = LeaseTermsOf(
            lease.id, lease.code, operator_terms[lease.operator_id], lease.starts_on, lease.ends_on
        )
        premises[lease.premises_id].leases.append(terms)
    for offer in Offer.objects.order_by("id"):
        premises[offer.premises_id].offers[offer.service_id] = offer.ends_on
    services = {
        row.id: ServiceTerms(row.id, row.code, row.category, row.daily_limit)
        for row in Service.objects.order_by("code")
    }
    for price in Price.objects.order_by("valid_from"):
        services[price.service_id].prices.append(
            PriceRow(
                price.valid_from,
                price.valid_until,
                price.min_age,
                price.max_age,
                price.list_price,
                price.government,
                price.concession,
                price.charity,
            )
        )
    return Terms(
        version=version,
        premises={row.code: row for row in premises.values()},
        services={row.code: row for row in services.values()},
        programmes={
            row.id: ProgrammeTerms(
                row.id,
                row.code,
                row.settlement,
                row.scope,
                leases[row.lease_id] if row.lease_id else None,
                row.divisible,
                row.max_share,
                row.min_spend,
                frozenset(row.categories),
                *(accounts[name] for name in _accounts(row.code)),
            )
            for row in programmes
        },
        subsidy=accounts[chart.SUBSIDY_GOVERNMENT],
        charity=accounts[chart.FUND_CHARITY],
    )


def _accounts(programme: str) -> list[str]:
    return [
        chart.vouchers_outstanding(programme),
        chart.vouchers_held(programme),
        chart.vouchers_redeemed(programme),
        chart.voucher_expense(programme),
    ]
