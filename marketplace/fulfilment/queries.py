"""Questions about what was ordered."""

from marketplace.fulfilment.models import WorkOrder
from vouchers.elders.models import Elder

CAME_TO_NOTHING = (WorkOrder.State.CANCELLED, WorkOrder.State.DECLINED, WorkOrder.State.MISSED)
MOST = 5  # services of one order that are named


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
