"""Questions about premises."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.db.models import Avg, BigIntegerField, Exists, Q, QuerySet

from ledger.fixed import Given, fixed
from providers.divisions.models import Division
from providers.premises.distances import Place
from providers.premises.models import Premises


def centre_of(division: Division) -> Place | None:
    """Where a community lies: the middle of the premises in it, or else in its street. One query.

    The street is read only where the community has none: a city's street may hold hundreds of communities.
    """
    rows = _around(in_street=division.parent_id is not None)(division=division.pk, street=division.parent_id)
    middles = _places(rows)
    own = [place for pk, _parent, place in middles if pk == division.pk]
    return own[0] if own else _middle([place for _pk, _parent, place in middles])


@cache
def _around(*, in_street: bool) -> Callable[..., list[tuple[Any, ...]]]:
    own = Q(division=Given("division", BigIntegerField()))
    asked = own
    if in_street:
        of_street = Q(division__parent=Given("street", BigIntegerField()))
        asked |= of_street & ~Q(Exists(_known().filter(own)))
    return fixed(_averages(_known().filter(asked)))


def centres_of(divisions: Iterable[Division]) -> dict[int, Place | None]:
    """The same for several, by id. One query.

    The register holds no coordinates of communities, and none of homes: nobody is to be found by it.
    """
    wanted = {division.pk: division.parent_id for division in divisions}
    middles = _middles(
        _known().filter(
            Q(division__in=wanted) | Q(division__parent__in=[parent for parent in wanted.values() if parent])
        )
    )
    own = {division: place for division, _parent, place in middles}
    streets: dict[int, list[Place]] = {}
    for _division, parent, place in middles:
        streets.setdefault(parent or 0, []).append(place)
    return {
        division: own.get(division) or _middle(streets.get(parent or 0, []))
        for division, parent in wanted.items()
    }


def _known() -> QuerySet[Premises]:
    """The premises of which it is known where they are."""
    return Premises.objects.filter(latitude__isnull=False, longitude__isnull=False)


def _middles(premises: QuerySet[Premises]) -> list[tuple[int, int | None, Place]]:
    """Of each division with such premises: itself, what it lies in, and their middle."""
    return _places(_averages(premises))


def _averages(premises: QuerySet[Premises]) -> QuerySet[Premises, Any]:
    return (
        premises.order_by()
        .values("division", "division__parent")
        .annotate(x=Avg("longitude"), y=Avg("latitude"))
        .values_list("division", "division__parent", "x", "y")
    )


def _places(rows: Iterable[tuple[Any, ...]]) -> list[tuple[int, int | None, Place]]:
    return [(division, parent, (float(x), float(y))) for division, parent, x, y in rows]


def _middle(places: list[Place]) -> Place | None:
    if not places:
        return None
    return (sum(x for x, _y in places) / len(places), sum(y for _x, y in places) / len(places))
