"""What is sold where."""

from datetime import date

from django.db.models import Prefetch, Q, QuerySet

from providers.services.models import Offer, Price, Service


def on_sale(*, premises: str, since: date, until: date) -> QuerySet[Service]:
    """The services offered at the premises with this code that have a price on one of these days; `prices` are
    those prices. Three statements."""
    current = Price.objects.filter(Q(valid_until=None) | Q(valid_until__gte=since), valid_from__lte=until)
    offered = Offer.objects.filter(Q(ends_on=None) | Q(ends_on__gte=since), premises__code=premises)
    return (
        Service.objects.filter(id__in=offered.values("service"))
        .filter(id__in=current.values("service"))
        .order_by("code")
        .prefetch_related(Prefetch("prices", current.order_by("valid_from", "min_age")))
    )
