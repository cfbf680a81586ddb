"""What has been done with the terms that a load would change (providers/known.py asks)."""

from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Max

from providers.known import is_referred_to
from providers.models import Lease, LeaseTerms, Offer, Price, Service
from vouchers.programmes.models import Programme
from vouchers.redemption.models import Claim, Redemption
from vouchers.wallets.models import Voucher

# Ages as in rules.md: who is born on 29 February turns on 1 March, as PostgreSQL's age() has it.
LAST_AT_PRICE = """
    SELECT max(r.service_on)
    FROM vouchers_redemption r JOIN vouchers_elder e ON e.id = r.elder_id
    WHERE r.service_id = %(service)s AND r.service_on >= %(from)s
        AND (%(until)s::date IS NULL OR r.service_on <= %(until)s::date)
        AND (%(min)s::int IS NULL OR extract(year FROM age(r.service_on, e.birth_on)) >= %(min)s::int)
        AND (%(max)s::int IS NULL OR extract(year FROM age(r.service_on, e.birth_on)) <= %(max)s::int)
"""


class Uses:
    """Answers from the database; one query or a few for each question."""

    def lease_in_use(self, lease: Lease) -> bool:
        return (
            is_referred_to([lease], besides=(LeaseTerms, Programme))
            or Voucher.objects.filter(programme__lease=lease).exists()
        )

    def last_service_of_lease(self, lease: Lease) -> date | None:
        days = [
            Redemption.objects.filter(lease=lease).aggregate(day=Max("service_on"))["day"],
            Claim.objects.filter(lease=lease).aggregate(day=Max("service_on"))["day"],
        ]
        return max((day for day in days if day), default=None)

    def service_in_use(self, service: Service) -> bool:
        return is_referred_to([service], besides=(Offer, Price))

    def last_service_at_price(self, price: Price) -> date | None:
        asked: dict[str, Any] = {
            "service": price.service_id,
            "from": price.valid_from,
            "until": price.valid_until,
            "min": price.min_age,
            "max": price.max_age,
        }
        with connection.cursor() as cursor:
            cursor.execute(LAST_AT_PRICE, asked)
            return cursor.fetchone()[0]
