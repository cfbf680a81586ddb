"""Questions about operators."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Max, Q

from providers.operators.models import Operator, SafetyCheck, Suspension

SAFETY_CHECK_DAYS = 365
"""The latest safety check on or before a service date may be this old (rules.md section 4)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an operator stands on a day: its latest safety check and until when that is good, or suspended."""

    checked_on: date | None
    suspended: bool

    @property
    def good_until(self) -> date | None:
        return self.checked_on + timedelta(days=SAFETY_CHECK_DAYS) if self.checked_on else None

    def may_serve(self, day: date) -> bool:
        return not self.suspended and self.good_until is not None and day <= self.good_until


def standings(operators: Iterable[Operator], day: date) -> dict[int, Standing]:
    """How each operator stands on this day, by id. Two queries."""
    wanted = [operator.pk for operator in operators]
    checks = dict(
        SafetyCheck.objects.filter(operator__in=wanted, checked_on__lte=day)
        .order_by()
        .values_list("operator")
        .annotate(Max("checked_on"))
    )
    suspended = set(
        Suspension.objects.filter(
            Q(reinstated_on=None) | Q(reinstated_on__gt=day), operator__in=wanted, starts_on__lte=day
        ).values_list("operator_id", flat=True)
    )
    return {pk: Standing(checks.get(pk), pk in suspended) for pk in wanted}
