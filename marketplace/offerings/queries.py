"""The catalogue as an elder sees it: near ones first, with this elder's price of today."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    FloatField,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    SmallIntegerField,
    TimeField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Sqrt

from ledger.fixed import Given, fixed
from ledger.journal.queries import SHANGHAI, day_of
from marketplace.offerings.models import Supply
from marketplace.offerings.search import query
from marketplace.offerings.words import DRAWN
from providers.models import Operator, OrderTerms, Premises
from providers.ordering.queries import open_then
from providers.premises.distances import distance_km
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


def nearness(ring: int) -> str:
    """own: the elder's community; street: its street; else as far as `km` says."""
    return {0: "own", 1: "street"}.get(ring, "")


# The list


class Found(NamedTuple):
    """One offer of the list, in the order of COLUMNS; `price` is this elder's, None where none fits; `km` None where
    not known."""

    premises: str
    place: str
    former_use: str
    division: str
    service: str
    name: str
    category: str
    drawing: str
    stars: int | None
    where: str | None
    ring: int
    km: float | None
    open_now: bool
    price: PriceRow | None = None

    @property
    def nearness(self) -> str:
        return nearness(self.ring)

    @property
    def was(self) -> Any:
        """What the house was before."""
        return Premises.FormerUse(self.former_use).label

    @property
    def drawn(self) -> str:
        return self.drawing or DRAWN[self.category]

    @property
    def delivers(self) -> bool:
        return self.where == OrderTerms.Where.HOME


COLUMNS = (
    "offer__premises__code",
    "offer__premises__name",
    "offer__premises__former_use",
    "offer__premises__division__name",
    "offer__service__code",
    "offer__service__name",
    "offer__service__category",
    "offer__service__listing__drawing",
    "lease__operator__stars",
    "offer__order_terms__where",
    "ring",
    "km",
    "open_now",
)


def offers(
    *, elder: Elder, sought: Sought, terms: Terms, at: datetime, first: int = 0, most: int = 100
) -> list[Found]:
    """`most` of the offers listed from the `first` on, near ones first: the elder's own community, its street, then
    by distance. Two queries."""
    asked = query(sought.words)
    if sought.words.strip() and not asked:
        return []
    home, local = elder.division, at.astimezone(SHANGHAI)
    centre = centre_of(home)
    x, y = centre or (0.0, 0.0)
    rows = _asking(
        words=bool(asked),
        kind=bool(sought.kind),
        open_now=sought.open_now,
        stars=bool(sought.stars),
        delivers=sought.delivers,
        placed=centre is not None,
        first=first,
        most=most,
    )(
        home=home.pk,
        street=home.parent_id,
        x=x,
        y=y,
        squeezed=math.cos(math.radians(y)),
        day=local.date(),
        weekday=local.weekday(),
        clock=local.time(),
        words=asked,
        kind=sought.kind,
        stars=sought.stars,
    )
    found = [Found(*row) for row in rows]
    return [one._replace(price=price_of(terms, one.service, elder, local.date())) for one in found]


@lru_cache(maxsize=256)
def _asking(
    *,
    words: bool,
    kind: bool,
    open_now: bool,
    stars: bool,
    delivers: bool,
    placed: bool,
    first: int,
    most: int,
) -> Callable[..., list[tuple[Any, ...]]]:
    """The query for what of the catalogue is asked; the values of Sought and of the elder come with each request."""
    day = Given("day", DateField())
    here = Premises.objects.filter(pk=OuterRef("offer__premises"))
    is_open = Exists(
        open_then(
            here, day=day, weekday=Given("weekday", SmallIntegerField()), clock=Given("clock", TimeField())
        )
    )
    found: Any = listed(day).annotate(
        ring=Case(
            When(offer__premises__division=Given("home", IntegerField()), then=0),
            When(offer__premises__division__parent=Given("street", IntegerField()), then=1),
            default=2,
            output_field=IntegerField(),
        ),
        km=_distance() if placed else Value(None, output_field=FloatField()),
        open_now=is_open,
    )
    if kind:
        found = found.filter(offer__service__category=Given("kind", CharField()))
    if words:
        given = [Given("words", CharField())]
        found = found.filter(RawSQL("sought @@ %s::tsquery", given, output_field=BooleanField()))
    if open_now:
        found = found.filter(is_open)
    if stars:
        found = found.filter(lease__operator__stars__gte=Given("stars", IntegerField()))
    if delivers:
        found = found.filter(offer__order_terms__where=OrderTerms.Where.HOME)
    near_first = found.order_by("ring", F("km").asc(nulls_last=True), "offer__service__code", "pk")
    return fixed(near_first.values_list(*COLUMNS)[first : first + most])


def listed(day: Any) -> QuerySet[Supply]:
    """The offers of premises that somebody rents on this day, `lease` being that lease: there is one at most."""
    leases = "offer__premises__leases"
    in_force = Q(**{f"{leases}__starts_on__lte": day, f"{leases}__ends_on__gte": day})
    return Supply.objects.annotate(lease=FilteredRelation(leases, condition=in_force)).filter(
        listed=True, lease__isnull=False
    )


def _distance() -> Any:
    """Kilometres from the point given, as the crow flies: over a city the earth is flat enough."""

    def apart(axis: str, name: str) -> Any:
        return Cast(f"offer__premises__{axis}", FloatField()) - Cast(Given(name, FloatField()), FloatField())

    east = apart("longitude", "x") * Cast(Given("squeezed", FloatField()), FloatField())
    north = apart("latitude", "y")
    return ExpressionWrapper(
        Sqrt(east * east + north * north) * Value(KILOMETRES_A_DEGREE), output_field=FloatField()
    )


# One offer


@dataclass(frozen=True, slots=True)
class Shown:
    """One offer on a page of its own; `price` and `km` as in Found."""

    supply: Any
    price: PriceRow | None
    ring: int
    km: float | None

    @property
    def offer(self) -> Any:
        return self.supply.offer

    @property
    def operator(self) -> Operator:
        return self.supply.lease.operator

    @property
    def division(self) -> str:
        return self.offer.premises.division.name

    @property
    def nearness(self) -> str:
        return nearness(self.ring)

    @property
    def terms(self) -> OrderTerms | None:
        return getattr(self.offer, "order_terms", None)

    @property
    def can_be_ordered(self) -> bool:
        return self.terms is not None and self.price is not None


SHOWN = (
    "lease__operator",
    "offer__service__listing__photo",
    "offer__premises__division",
    "offer__premises__story",
    "offer__order_terms",
)
SEALED = "offer__service__listing__photo__sealed"  # the picture itself has an address of its own


def shown(*, premises: str, service: str, elder: Elder, terms: Terms, at: datetime) -> Shown | None:
    """The offer of these codes as this elder sees it today, None when it is not listed. Two queries."""
    day, home = day_of(at), elder.division
    found = listed(day).filter(offer__premises__code=premises, offer__service__code=service)
    supply = found.select_related(*SHOWN).defer(SEALED).first()
    if supply is None:
        return None
    place, centre = supply.offer.premises, centre_of(home)
    ring = 0 if place.division_id == home.pk else 1 if place.division.parent_id == home.parent_id else 2
    km = None
    if centre is not None and place.longitude is not None and place.latitude is not None:
        km = distance_km(centre, (float(place.longitude), float(place.latitude)))
    return Shown(supply, price_of(terms, service, elder, day), ring, km)


def price_of(terms: Terms, service: str, elder: Elder, day: date) -> PriceRow | None:
    """What this elder pays for one on this day, and who pays the rest."""
    return terms.services[service].price_on(day, age_on(elder.birth_on, day))
