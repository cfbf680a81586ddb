"""The round of somebody who brings things to many homes: in what order to go. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from providers.premises.distances import Place, distance_km


@dataclass(frozen=True, slots=True)
class Door:
    """One home on a round. `area`: the community it lies in; `place`: its middle, where that is known."""

    starts_at: datetime
    area: str
    address: str
    place: Place | None
    what: Any = None


def in_order(doors: Iterable[Door], *, start: Place | None) -> list[Door]:
    """By time; within one time from community to the nearest next one, each community whole, by address.

    Homes have no coordinates in the register, so the order inside a community is that of the addresses.
    """
    found: list[Door] = []
    here = start
    rest = sorted(doors, key=lambda door: (door.starts_at, door.area, door.address))
    while rest:
        first = rest[0].starts_at
        now = [door for door in rest if door.starts_at == first]
        rest = [door for door in rest if door.starts_at != first]
        while now:
            nearest = min(now, key=lambda door: (_far(here, door.place), door.area))
            block = [door for door in now if door.area == nearest.area]
            now = [door for door in now if door.area != nearest.area]
            found += block
            here = nearest.place or here
    return found


def _far(here: Place | None, there: Place | None) -> float:
    """What lies nobody knows where comes last."""
    if there is None:
        return float("inf")
    return 0.0 if here is None else distance_km(here, there)
