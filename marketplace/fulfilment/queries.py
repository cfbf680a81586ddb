"""Questions about what was ordered."""

from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from ledger.journal.queries import day_of, first_open_day, midnight
from marketplace.fulfilment.models import WorkOrder
from vouchers.elders.models import Elder
from vouchers.models import Hold, Redemption

CAME_TO_NOTHING = (WorkOrder.State.CANCELLED, WorkOrder.State.DECLINED, WorkOrder.State.MISSED)
MOST = 5  # services of one order that are named
REPORTING = timedelta(hours=72)
"""So long after its end a terminal may still report a delivery (rules.md section 4): then it did not take place."""
NOT_REPORTED, ABSENT, DENIED = "not reported", "absent", "denied"
"""Why work was closed as missed; else the code of the refusal that kept a visit from being redeemed."""


def last_address(elder: Elder) -> str:
    """Where this elder's last service at home was brought: what was asked once is not asked again."""
    last = WorkOrder.objects.filter(order__elder=elder, address_sealed__isnull=False).order_by("-id").first()
    return last.address() if last else ""


def last_ordered(elder: Elder) -> list[WorkOrder]:
    """The services of this elder's latest order, without what came to nothing. One query."""
    latest = list(
        WorkOrder.objects.filter(order__elder=elder)
        .exclude(state__in=CAME_TO_NOTHING)
        .select_related("order__order", "offer__service", "offer__premises")
        .order_by("-order", "starts_at", "id")[:MOST]
    )
    return [work for work in latest if work.order_id == latest[0].order_id]


def undelivered(at: datetime, *, since: date | None = None) -> QuerySet[Hold]:
    """The holds of orders whose day is over, and the time to report it, and of which nothing came.

    Those closed as missed (tidying.py), unless nobody was at home, and those that still wait to be closed. One that
    was redeemed after all, by a file say, is left out. `since`: missed ones for services from this day on.
    """
    missed = WorkOrder.objects.filter(state=WorkOrder.State.MISSED).exclude(closed_for=ABSENT)
    if since is not None:
        missed = missed.filter(starts_at__gte=midnight(since))
    waiting = Hold.objects.filter(state=Hold.State.OPEN, service_on__lt=day_of(at - REPORTING))
    redeemed = Redemption.objects.filter(
        elder=OuterRef("elder"),
        service_on=OuterRef("service_on"),
        service=OuterRef("service"),
        lease__premises=OuterRef("premises"),
        hold=None,
        reversed_on=None,
    )
    return Hold.objects.filter(
        Q(pk__in=missed.values("hold").union(waiting.values("pk"))), ~Exists(redeemed)
    ).order_by("service_on", "id")


def undelivered_lately(at: datetime) -> QuerySet[Hold]:
    """Those of months that are not locked yet: there it can still be made good in time."""
    return undelivered(at, since=first_open_day())
