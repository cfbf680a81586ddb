"""The first page of the office: today's servings, and where the running month of each lease goes."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger.money import ZERO
from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.exports import export
from marketplace.web.provider.papers import warnings
from marketplace.web.provider.running import running, sheet
from providers.models import Lease, Operator
from vouchers.models import Redemption, Statement


@roles(Role.OPERATOR_MANAGER)
@require_safe
def today(request: HttpRequest) -> HttpResponseBase:
    """This page will show what was served today and what each lease's month has earned, can earn, will say."""
    operator: Operator = request.user.operator  # type: ignore[union-attr, assignment]
    now = timezone.localdate()
    leases = scope.leases(request.user)
    month = now.replace(day=1)
    months = running(leases, now)
    name = f"{operator.code}-{month:%Y-%m}-so-far"
    if (file := export(request, sheet(months, name))) is not None:
        return file
    served = _served(leases, now)
    return render(
        request,
        "office/today.html",
        {
            "operator": operator,
            "today": now,
            "month": month,
            "running": months,
            "served": served,
            "yesterday": _served(leases, now - timedelta(days=1)),
            "waiting": list(
                scope.statements(request.user)
                .filter(state=Statement.State.DRAFT)
                .select_related("lease__premises")
                .order_by("month", "lease__code")
            ),
            "warnings": warnings(operator, leases, now),
            "trail": [(_("Office"), None)],
        },
    )


def _served(leases: QuerySet[Lease], day: date) -> dict[str, Any]:
    """Servings of one day at the operator's premises, reversed ones left out. Yuan."""
    of_day = Redemption.objects.filter(lease__in=leases, service_on=day)
    found = of_day.aggregate(
        servings=Count("id", filter=Q(reversed_on=None)),
        reversed=Count("id", filter=Q(reversed_on__isnull=False)),
        **{name: Sum(name, filter=Q(reversed_on=None)) for name in ("vouchers", "self_pay", "government")},
    )
    return {name: value if value is not None else ZERO for name, value in found.items()}
