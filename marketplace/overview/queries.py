"""What was counted, put together for the reader's own part of the city."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from marketplace.overview.models import Snapshot
from providers.models import Division
from vouchers.models import Elder, Redemption, Voucher

AMOUNTS = ("issued", "redeemed", "left", "soon")
PEOPLE = ("holders", "never")


class Places:
    """A snapshot's rows by division, summed up by street or community. Two queries."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._rows = {row["code"]: row for row in snapshot.places}
        self._divisions = {one.pk: one for one in Division.objects.order_by("code")}

    def under(self, division: Division | None) -> dict[str, Any]:
        """The sums of a division and all below it; of the whole city without one."""
        return self._sum(one for one in self._divisions.values() if self._is_under(one, division))

    def parts(self, division: Division | None) -> list[dict[str, Any]]:
        """The sums of each part: streets of the city or a district, communities of a street. Empty ones left out."""
        level = Division.Level.STREET
        if division is not None and division.level in (Division.Level.STREET, Division.Level.COMMUNITY):
            level = Division.Level.COMMUNITY
        below: dict[int, list[Division]] = {}
        for one in self._divisions.values():
            above = list(self._upwards(one))
            if division is None or division.pk in above:
                for pk in above:
                    below.setdefault(pk, []).append(one)
        found = [
            {"division": one, **self._sum(below[one.pk])}
            for one in self._divisions.values()
            if one.level == level and one.pk in below
        ]
        return [row for row in found if row["issued"]]

    def _is_under(self, one: Division, above: Division | None) -> bool:
        return above is None or above.pk in self._upwards(one)

    def _upwards(self, division: Division) -> Iterator[int]:
        """A division and all that it lies in, by number."""
        pk: int | None = division.pk
        while pk is not None:
            yield pk
            pk = self._divisions[pk].parent_id

    def _sum(self, divisions: Iterable[Division]) -> dict[str, Any]:
        rows = [self._rows[one.code] for one in divisions if one.code in self._rows]
        sums = {name: sum((Decimal(row[name]) for row in rows), Decimal("0.00")) for name in AMOUNTS}
        return {
            **sums,
            "lost": sums["issued"]
            - sums["redeemed"]
            - sums["left"],  # expired or voided (rules.md section 6)
            **{name: sum(row[name] for row in rows) for name in PEOPLE},
        }


def never_used(elders: QuerySet[Elder]) -> QuerySet[Elder]:
    """Those alive who were given vouchers and never used one."""
    given = Voucher.objects.filter(elder=OuterRef("pk"))
    spent = Redemption.objects.filter(elder=OuterRef("pk"), reversed_on=None)
    return elders.filter(Exists(given), ~Exists(spent), died_on=None, erased_at=None)
