"""Questions about what was ordered."""

from marketplace.fulfilment.models import WorkOrder
from vouchers.elders.models import Elder


def last_address(elder: Elder) -> str:
    """Where this elder's last service at home was brought: what was asked once is not asked again."""
    last = WorkOrder.objects.filter(order__elder=elder, address_sealed__isnull=False).order_by("-id").first()
    return last.address() if last else ""
