"""Counting vouchers and who uses them: one pass over each of the large tables, in the background."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Max

from ledger import chart
from ledger.journal.queries import balances
from ledger.models import Entry
from ledger.money import ZERO
from marketplace.overview.models import Snapshot
from vouchers.models import Programme

SOON_DAYS = 30
KEPT = 48  # snapshots

EXPIRING = """
    SELECT programme_id, sum(remaining) FROM vouchers_voucher
    WHERE expired_on IS NULL AND voided_on IS NULL AND valid_until BETWEEN %s AND %s GROUP BY programme_id
"""
# By where they live: what elders were given, have left, what of it runs out soon, what they spent; who never did.
PLACES = """
    SELECT d.code, sum(given.issued), sum(spent.redeemed), sum(given.remaining), sum(given.soon),
        count(*) FILTER (WHERE e.died_on IS NULL AND e.erased_at IS NULL),
        count(*) FILTER (WHERE e.died_on IS NULL AND e.erased_at IS NULL AND spent.elder_id IS NULL)
    FROM (
        SELECT elder_id, sum(face_value) AS issued, sum(remaining + held) AS remaining,
            sum(remaining) FILTER (WHERE expired_on IS NULL AND voided_on IS NULL AND valid_until BETWEEN %s AND %s) AS soon
        FROM vouchers_voucher GROUP BY elder_id
    ) AS given JOIN vouchers_elder e ON e.id = given.elder_id JOIN providers_division d ON d.id = e.division_id
        LEFT JOIN (
            SELECT elder_id, sum(vouchers) AS redeemed FROM vouchers_redemption
            WHERE reversed_on IS NULL GROUP BY elder_id
        ) AS spent ON spent.elder_id = given.elder_id
    GROUP BY d.code ORDER BY d.code
"""
PLACE = ("issued", "redeemed", "left", "soon", "holders", "never")


def take_snapshot(*, today: date, at: datetime) -> Snapshot | None:
    """This function will count anew when anything was posted, or a day has passed, since it last did.

    Amounts are yuan as text, by programme: issued, redeemed, expired, voided, left (held included), soon (what
    of it runs out within 30 days); and by division, with how many living elders were given vouchers, and how
    many of them never used one. Returns None when nothing is new.
    """
    last = Entry.objects.aggregate(last=Max("id"))["last"] or 0
    before = Snapshot.objects.first()
    if before and (before.last_entry, before.today) == (last, today):
        return None
    now = balances()
    with connection.cursor() as cursor:
        cursor.execute(EXPIRING, [today, today + timedelta(days=SOON_DAYS)])
        soon: dict[int, Decimal] = dict(cursor.fetchall())
        cursor.execute(PLACES, [today, today + timedelta(days=SOON_DAYS)])
        places = [
            {"code": code, **dict(zip(PLACE, [*(str(one or ZERO) for one in sums), *people], strict=True))}
            for code, sums, people in ((row[0], row[1:5], row[5:]) for row in cursor.fetchall())
        ]

    def of(account: str) -> str:
        return str(abs(now.get(account, ZERO)))

    rows = [
        {
            "code": one.code,
            "name": one.name,
            "settlement": one.settlement,
            "issued": of(chart.vouchers_issued(one.code)),
            "redeemed": of(chart.vouchers_redeemed(one.code)),
            "expired": of(chart.vouchers_expired(one.code)),
            "voided": of(chart.vouchers_voided(one.code)),
            "left": str(
                -now.get(chart.vouchers_outstanding(one.code), ZERO)
                - now.get(chart.vouchers_held(one.code), ZERO)
            ),
            "soon": str(soon.get(one.pk, ZERO)),
        }
        for one in Programme.objects.order_by("code")
    ]
    made = Snapshot.objects.create(
        taken_at=at,
        today=today,
        last_entry=last,
        programmes=rows,
        reach={name: sum(one[name] for one in places) for name in ("holders", "never")},
        places=places,
    )
    old = Snapshot.objects.values_list("pk", flat=True)[KEPT:]
    Snapshot.objects.filter(pk__in=list(old)).delete()
    return made
