"""What an elder has received."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import ExtractYear

from ledger.money import ZERO
from providers.models import Service
from vouchers.elders.models import Elder
from vouchers.redemption.models import Redemption

PARTS = ("list_price", "government", "concession", "charity", "vouchers", "self_pay")


@dataclass(slots=True)
class Received:
    """What one elder received of one service, or of all of one kind: how much of it, and who paid which part (yuan)."""

    quantity: int = 0
    list_price: Decimal = ZERO
    government: Decimal = ZERO
    concession: Decimal = ZERO
    charity: Decimal = ZERO
    vouchers: Decimal = ZERO
    self_pay: Decimal = ZERO

    def add(self, other: "Received") -> None:
        self.quantity += other.quantity
        for part in PARTS:
            setattr(self, part, getattr(self, part) + getattr(other, part))


@dataclass(slots=True)
class Kind:
    category: Service.Category
    services: list[tuple[Service, Received]] = field(default_factory=list)
    total: Received = field(default_factory=Received)


def received(*, elder: Elder, year: int) -> list[Kind]:
    """What the elder received in the year, by kind, the most first; what was reversed is left out. Two queries."""
    rows = (
        Redemption.objects.filter(elder=elder, service_on__year=year, reversed_on=None)
        .values("service_id")
        .annotate(times=Sum("quantity"), **{f"sum_{part}": Sum(part) for part in PARTS})
        .order_by("-times", "service_id")
        .values_list("service_id", "times", *(f"sum_{part}" for part in PARTS))
    )
    sums = {service_id: Received(times, *parts) for service_id, times, *parts in rows}
    services = Service.objects.in_bulk(sums)
    kinds: dict[str, Kind] = {}
    for service_id, of_service in sums.items():
        service = services[service_id]
        kind = kinds.setdefault(service.category, Kind(Service.Category(service.category)))
        kind.services.append((service, of_service))
        kind.total.add(of_service)
    return sorted(kinds.values(), key=lambda kind: -kind.total.quantity)


def years_of(elder: Elder) -> list[int]:
    """The years in which the elder received something, latest first."""
    years = Redemption.objects.filter(elder=elder, reversed_on=None).annotate(year=ExtractYear("service_on"))
    return list(years.order_by("-year").values_list("year", flat=True).distinct())
