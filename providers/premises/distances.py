"""How far two places are, and how long the way takes. Pure; places are (longitude, latitude) in degrees."""

from math import asin, ceil, cos, radians, sin, sqrt

EARTH_KM = 6371.0
Place = tuple[float, float]

KMH = 12
"""Door to door in a town: a bicycle or bus, with the walk at both ends, straight-line distance."""
WAY_INCLUDED = 15
"""Minutes of the way that an appointment's own time covers (OrderTerms.minutes includes the way)."""


def distance_km(here: Place, there: Place) -> float:
    """The great circle between two points (longitude, latitude), by the haversine formula."""
    (lon1, lat1), (lon2, lat2) = ((radians(x), radians(y)) for x, y in (here, there))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(h))


def way_minutes(here: Place | None, there: Place | None) -> int:
    """Minutes of the way; 0 where one of the places is not known."""
    if here is None or there is None:
        return 0
    return ceil(round(distance_km(here, there) / KMH * 60, 6))
