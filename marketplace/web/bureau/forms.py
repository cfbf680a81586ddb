"""The filters of a month, read from the address; what does not fit filters nothing."""

from dataclasses import dataclass

from django.http import QueryDict

from providers.models import Division
from vouchers.models import Statement


def street_and_above(division: Division | None) -> list[Division]:
    """A division and those above it, lowest first, without communities and the city itself."""
    found = []
    while division is not None:
        if division.level in (Division.Level.STREET, Division.Level.DISTRICT):
            found.append(division)
        division = division.parent
    return found


@dataclass(frozen=True)
class MonthFilter:
    """state, operator, division: codes; q: part of a lease's code, a premises' or an operator's name."""

    q: str = ""
    state: str = ""
    operator: str = ""
    division: str = ""
    review: bool = False

    @classmethod
    def of(cls, get: QueryDict) -> "MonthFilter":
        return cls(
            q=get.get("q", "").strip()[:60],
            state=get.get("state", ""),
            operator=get.get("operator", ""),
            division=get.get("division", ""),
            review=get.get("review") == "1",
        )

    def __bool__(self) -> bool:
        return any((self.q, self.state, self.operator, self.division, self.review))

    def keeps(self, row: Statement) -> bool:
        lease = row.lease
        if self.state and row.state != self.state:
            return False
        if self.operator and lease.operator.code != self.operator:
            return False
        if self.review and not row.under_review:
            return False
        if self.division and self.division not in {d.code for d in street_and_above(lease.premises.division)}:
            return False
        if self.q:
            words = (
                f"{lease.code} {lease.premises.name} {lease.operator.name} {lease.operator.code}".casefold()
            )
            return all(part in words for part in self.q.casefold().split())
        return True
