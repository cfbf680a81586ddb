"""Questions about premises."""

from collections.abc import Iterable

from django.db.models import Avg, Q

from providers.divisions.models import Division
from providers.premises.distances import Place
from providers.premises.models import Premises


def centre_of(division: Division) -> Place | None:
    """Where a community lies: the middle of the premises in it, or else in its street. One query."""
    return centres_of([division])[division.pk]


def centres_of(divisions: Iterable[Division]) -> dict[int, Place | None]:
    """The same for several, by id. One query.

    The register holds no coordinates of communities, and none of homes: nobody is to be found by it.
    """
    wanted = {division.pk: division.parent_id for division in divisions}
    known = Premises.objects.filter(
        Q(division__in=wanted) | Q(division__parent__in=[parent for parent in wanted.values() if parent]),
        latitude__isnull=False,
        longitude__isnull=False,
    )
    rows = list(
        known.order_by()
        .values("division", "division__parent")
        .annotate(x=Avg("longitude"), y=Avg("latitude"))
        .values_list("division", "division__parent", "x", "y")
    )
    own = {division: (float(x), float(y)) for division, _parent, x, y in rows}
    streets: dict[int, list[Place]] = {}
    for _division, parent, x, y in rows:
        streets.setdefault(parent or 0, []).append((float(x), float(y)))
    return {
        division: own.get(division) or _middle(streets.get(parent or 0, []))
        for division, parent in wanted.items()
    }


def _middle(places: list[Place]) -> Place | None:
    if not places:
        return None
    return (sum(x for x, _y in places) / len(places), sum(y for _x, y in places) / len(places))
