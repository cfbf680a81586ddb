"""What proves a visit, as every desk shows it (templates/components/evidence.html)."""

from dataclasses import dataclass

from vouchers.models import Visit, VisitReport
from vouchers.visits.evidence import Grade
from vouchers.visits.operations import refused
from vouchers.visits.refusals import CannotReport

TONES = {
    Grade.PROVEN: ("ok", "check-circle-fill"),
    Grade.SUPPORTED: ("ok", "check-lg"),
    Grade.CLAIMED: ("due", "question-circle"),
    Grade.DENIED: ("no", "x-octagon-fill"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """The visit of one hold, if there was one, and what was told of it with why it was not taken."""

    visit: Visit | None
    reports: list[tuple[VisitReport, CannotReport | None]]

    @property
    def tone(self) -> str:
        return TONES[Grade(self.visit.grade)][0] if self.visit else ""

    @property
    def mark(self) -> str:
        return TONES[Grade(self.visit.grade)][1] if self.visit else ""


def shown_of(hold_id: int | None) -> Shown | None:
    """None where nothing was told. Two queries."""
    if hold_id is None:
        return None
    reports = list(VisitReport.objects.filter(hold=hold_id).select_related("photo").order_by("id"))
    if not reports:
        return None
    visit = Visit.objects.select_related("caregiver").filter(hold=hold_id).first()
    return Shown(visit, [(one, refused(one.refusal) if one.refusal else None) for one in reports])
