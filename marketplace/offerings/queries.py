"""The catalogue as an elder sees it: near ones first, with this elder's price of today."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Sqrt

from ledger.journal.queries import day_of
from marketplace.offerings.models import Supply
from marketplace.offerings.search import query
from providers.models import Lease, Operator, OrderTerms, Premises
from providers.operators.queries import Standing, standings
from providers.ordering.queries import open_at
from providers.premises.queries import centre_of
from vouchers.elders.eligibility import age_on
from vouchers.elders.models import Elder
from vouchers.redemption.terms import PriceRow, Terms

KILOMETRES_A_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Sought:
    """What is asked of the catalogue; empty fields ask nothing."""

    words: str = ""
    kind: str = ""
    open_now: bool = False
    stars: int = 0
    delivers: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One offer as it is shown: `price` is this elder's, None where none fits; `km` None where not known."""

    supply: Any
    operator: Operator
    standing: Standing
    price: PriceRow | None
    open_now: bool

    @property
    def offer(self) -> Any:
        return self.supply.offer

    @property
    def nearness(self) -> str:
        """own: the elder's community; street: its street; else as far as `km` says."""
        return {0: "own", 1: "street"}.get(self.supply.ring, "")

    @property
    def km(self) -> float | None:
        return self.supply.km

    @property
    def terms(self) -> OrderTerms | None:
        return getattr(self.supply.offer, "order_terms", None)

    @property
    def delivers(self) -> bool:
        return self.terms is not None and self.terms.where == OrderTerms.Where.HOME

    @property
    def can_be_ordered(self) -> bool:
        return self.terms is not None and self.price is not None


def supplies(elder: Elder, sought: Sought, at: datetime) -> QuerySet[Supply]:
    """The offers listed, near ones first: the elder's own community, its street, then by distance."""
    day = day_of(at)
    home = elder.division
    lease = Lease.objects.filter(premises=OuterRef("offer__premises"), starts_on__lte=day, ends_on__gte=day)
    found = (
        Supply.objects.filter(listed=True)
        .annotate(
            operator_id=Subquery(lease.values("operator")[:1]),
            ring=Case(
                When(offer__premises__division=home, then=0),
                When(offer__premises__division__parent=home.parent_id, then=1),
                default=2,
                output_field=IntegerField(),
            ),
            km=_distance(centre_of(home)),
        )
        .filter(Exists(lease))  # not by the column above: that would be looked up for each offer of the city
    )
    if sought.kind:
        found = found.filter(offer__service__category=sought.kind)
    if sought.words.strip():
        asked = query(sought.words)
        matching = (
            RawSQL("sought @@ %s::tsquery", [asked], output_field=BooleanField()) if asked else Value(False)
        )
        found = found.filter(matching)
    if sought.open_now:
        here = Premises.objects.filter(pk=OuterRef("offer__premises"))
        found = found.filter(Exists(open_at(here, at)))
    if sought.stars:
        firm = Operator.objects.filter(pk=OuterRef("operator_id"), stars__gte=sought.stars)
        found = found.filter(Exists(firm))
    if sought.delivers:
        found = found.filter(offer__order_terms__where=OrderTerms.Where.HOME)
    return found.order_by("ring", F("km").asc(nulls_last=True), "offer__service__code", "pk")


def _distance(centre: tuple[float, float] | None) -> Any:
    """Kilometres from a point, as the crow flies: over a city the earth is flat enough."""
    if centre is None:
        return Value(None, output_field=FloatField())
    x, y = centre
    east = (Cast("offer__premises__longitude", FloatField()) - Value(x)) * Value(math.cos(math.radians(y)))
    north = Cast("offer__premises__latitude", FloatField()) - Value(y)
    return ExpressionWrapper(
        Sqrt(east * east + north * north) * Value(KILOMETRES_A_DEGREE), output_field=FloatField()
    )


SHOWN = (
    "offer__service__listing",
    "offer__premises__division",
    "offer__premises__story",
    "offer__order_terms",
)


def shown(found: Any, *, elder: Elder, terms: Terms, at: datetime) -> list[Shown]:
    """These supplies with operator, standing, price and whether they are open. Five queries, however many."""
    rows = list(found)
    day = day_of(at)
    operators = Operator.objects.in_bulk({row.operator_id for row in rows})
    stand = standings(operators.values(), day)
    here = Premises.objects.filter(pk__in={row.offer.premises_id for row in rows})
    opened = set(open_at(here, at).order_by().values_list("pk", flat=True))
    return [
        Shown(
            row,
            operators[row.operator_id],
            stand[row.operator_id],
            price_of(terms, row.offer.service.code, elder, day),
            row.offer.premises_id in opened,
        )
        for row in rows
    ]


def price_of(terms: Terms, service: str, elder: Elder, day: date) -> PriceRow | None:
    """What this elder pays for one on this day, and who pays the rest."""
    return terms.services[service].price_on(day, age_on(elder.birth_on, day))


def parts(row: PriceRow) -> dict[str, Decimal]:
    """Who pays which part of the list price."""
    return {
        "government": row.government,
        "concession": row.concession,
        "charity": row.charity,
        "elder": row.elder_price,
    }
