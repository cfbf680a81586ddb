"""What becomes of orders by themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.operations import close, locked
from marketplace.fulfilment.queries import NOT_REPORTED, REPORTING
from marketplace.fulfilment.visits import pay
from vouchers.models import Hold, Visit


@dataclass(slots=True)
class Tidied:
    """How many work orders followed their hold (delivered, or released elsewhere), and how many ran out of time."""

    delivered: int = 0
    cancelled: int = 0
    missed: int = 0


def tidy(*, by: Any, at: datetime) -> Tidied:
    """This function will bring open work orders up to what happened without them.

    1. Whose hold was delivered is done; whose hold was released (a death) is cancelled.
    2. A visit that waited 72 hours for the elder's word is delivered as claimed: review looks at it.
    3. What nobody reported within 72 hours of its end did not take place: its hold is released.

    Each in a transaction of its own; run again it finds nothing.
    """
    done = Tidied()
    open_work = WorkOrder.objects.filter(state__in=WorkOrder.OPEN).select_related("order")
    closed_elsewhere = open_work.exclude(hold__state=Hold.State.OPEN).order_by("id")
    for work in [*closed_elsewhere, *open_work.filter(ends_at__lt=at - REPORTING).order_by("id")]:
        with transaction.atomic():
            work = locked(work)
            if not work.is_open:
                continue
            if work.hold.state == Hold.State.DELIVERED:
                close(work, state=WorkOrder.State.DONE, reason="", by=by, at=at)
                done.delivered += 1
            elif work.hold.state == Hold.State.RELEASED:
                reason = "death" if work.order.elder.died_on else "released"
                close(work, state=WorkOrder.State.CANCELLED, reason=reason, by=by, at=at)
                done.cancelled += 1
            else:
                _run_out(work, done, by=by, at=at)
    return done


def _run_out(work: WorkOrder, done: Tidied, *, by: Any, at: datetime) -> None:
    visit = Visit.objects.select_related("caregiver").filter(hold=work.hold).first()
    last = max(work.ends_at, visit.left_at or visit.arrived_at) if visit else work.ends_at
    if last >= at - REPORTING:
        return
    if visit is not None and visit.quantity and pay(work=work, visit=visit, by=by, at=at) is not None:
        done.delivered += 1
        return
    close(
        work,
        state=WorkOrder.State.MISSED,
        reason=(visit.undelivered if visit else "") or NOT_REPORTED,
        by=by,
        at=at,
    )
    done.missed += 1
