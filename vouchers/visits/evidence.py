"""How well a visit is proven: a grade from what is there. Pure."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

NEAR_KM = 5.0
"""So near the elder's community a check-in counts as there: a community is some kilometres wide, and a telephone
between houses may be some hundred metres off."""


class Grade(models.TextChoices):
    PROVEN = "proven", _("proven")
    SUPPORTED = "supported", _("supported")
    CLAIMED = "claimed", _("claimed only")
    DENIED = "denied", _("denied by the elder")


STANDS = frozenset({Grade.PROVEN, Grade.SUPPORTED})
"""The grades that review lets pass."""
IN_PERSON = frozenset({"code", "card", "pin"})
"""What the elder alone has, shown or typed where the caregiver is."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is there of one visit. `how`: by what the elder confirmed, empty when not; `away_km`: how far from the
    elder's community the check-in was, None where it was not taken or the community's place is not known."""

    arrived: bool = False
    left: bool = False
    how: str = ""
    denied: bool = False
    photos: int = 0
    away_km: float | None = None

    @property
    def is_near(self) -> bool:
        return self.away_km is not None and self.away_km <= NEAR_KM


def grade(of: Evidence) -> Grade:
    """The grade, as docs/decisions/0013-visits.md says it."""
    if of.denied:
        return Grade.DENIED
    if not (of.arrived and of.left):
        return Grade.CLAIMED
    if of.how in IN_PERSON:
        return Grade.PROVEN
    if of.how or (of.photos and of.is_near):
        return Grade.SUPPORTED
    return Grade.CLAIMED
