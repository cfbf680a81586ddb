"""Redemptions as the rules see them: ordered streams through server-side cursors, one group in memory at a time."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection

from ledger.journal.queries import next_month, previous_month
from ledger.models import Period
from ledger.money import ZERO
from providers.models import CashPrice, Closure, Lease, OpeningHours, Service
from vouchers.redemption.models import Redemption
from vouchers.review.catalogue import ELDER
from vouchers.review.facts import AT_THE_PLACE, FILES, Served

FETCH = 5000

ROWS = """
    SELECT r.id, r.elder_id, extract(epoch FROM r.happened_at)::bigint, r.service_on,
        extract(epoch FROM r.recorded_at)::bigint, r.lease_id, r.service_id, r.key_scope, r.by, r.channel,
        r.quantity, r.list_price, r.government, c.amount, h.quantity, h.service_on, e.died_on,
        v.grade IN ('proven', 'supported'), d.denied_on
    FROM vouchers_redemption r
        JOIN vouchers_elder e ON e.id = r.elder_id
        LEFT JOIN vouchers_claim c ON c.redemption_id = r.id AND c.lease_id = r.lease_id
        LEFT JOIN vouchers_hold h ON h.id = r.hold_id
        LEFT JOIN vouchers_visit v ON v.hold_id = r.hold_id
        LEFT JOIN (
            SELECT redemption_id, min((at AT TIME ZONE 'Asia/Shanghai')::date) AS denied_on
            FROM vouchers_callback WHERE result = 'denied' GROUP BY 1) d ON d.redemption_id = r.id
    WHERE r.service_on >= %(start)s AND r.service_on < %(end)s AND r.reversed_on IS NULL {only}
    ORDER BY {order}, r.happened_at, r.id
"""
CASHIERS = """
    SELECT r.lease_id, r.by, count(*) FROM vouchers_redemption r JOIN providers_service s ON s.id = r.service_id
    WHERE r.service_on >= %(start)s AND r.service_on < %(end)s AND r.reversed_on IS NULL
        AND r.key_scope <> %(files)s AND s.category = ANY(%(there)s) {only} GROUP BY 1, 2
"""
# Elders who work for an operator or whose relatives do: found by digest, nobody is named.
KIN = """
    SELECT e.id, s.operator_id, s.relation, s.starts_on, s.ends_on
    FROM providers_stafflink s JOIN vouchers_elder e ON e.id_number_lookup = s.person
    ORDER BY s.relation DESC
"""


@dataclass(slots=True)
class Where:
    premises: int
    operator: int
    place: tuple[float, float] | None


@dataclass(slots=True)
class Known:
    """What is known beside the redemptions, small enough for memory: by lease, service, premises, tie."""

    leases: dict[int, Where] = field(default_factory=dict)
    services: dict[int, tuple[str, str]] = field(default_factory=dict)
    cash: dict[tuple[int, int], tuple[list[date], list[Decimal]]] = field(default_factory=dict)
    kin: dict[tuple[int, int], list[tuple[str, date, date | None]]] = field(default_factory=dict)
    cashiers: dict[int, int] = field(default_factory=dict)
    usual: dict[tuple[int, str], int] = field(default_factory=dict)
    hours: dict[int, list[OpeningHours]] = field(default_factory=dict)
    closures: dict[int, list[tuple[date, date]]] = field(default_factory=dict)
    locks: list[tuple[date, int]] = field(default_factory=list)

    @classmethod
    def read(cls) -> "Known":
        known = cls()
        for lease in Lease.objects.select_related("premises"):
            spot = lease.premises
            place = None
            if spot.longitude is not None and spot.latitude is not None:
                place = (float(spot.longitude), float(spot.latitude))
            known.leases[lease.id] = Where(spot.id, lease.operator_id, place)
        known.services = {
            id_: (category, unit)
            for id_, category, unit in Service.objects.values_list("id", "category", "unit")
        }
        for row in CashPrice.objects.order_by("valid_from"):
            days, prices = known.cash.setdefault((row.premises_id, row.service_id), ([], []))
            days.append(row.valid_from)
            prices.append(row.price)
        known.locks = [
            (row.month, int(row.locked_at.timestamp())) for row in Period.objects.order_by("-month")
        ]
        for open_ in OpeningHours.objects.order_by("opens_at"):
            known.hours.setdefault(open_.premises_id, []).append(open_)
        for closure in Closure.objects.order_by("starts_on"):
            known.closures.setdefault(closure.premises_id, []).append((closure.starts_on, closure.ends_on))
        with connection.cursor() as cursor:
            cursor.execute(KIN)
            for elder, operator, relation, start, end in cursor.fetchall():
                known.kin.setdefault((elder, operator), []).append((relation, start, end))
        return known

    def count_cashiers(self, month: date, leases: Collection[int] | None = None) -> None:
        """How many people or tablets served at the place of each lease in a month, and what share of it each, in
        per cent; `leases`: only these."""
        only = "" if leases is None else "AND r.lease_id = ANY(%(leases)s)"
        with connection.cursor() as cursor:
            cursor.execute(
                CASHIERS.format(only=only),
                {
                    "start": month,
                    "end": next_month(month),
                    "files": FILES,
                    "there": sorted(AT_THE_PLACE),
                    "leases": list(leases or ()),
                },
            )
            rows = cursor.fetchall()
        self.cashiers = Counter(lease for lease, _by, _count in rows)
        all_of: Counter[int] = Counter()
        for lease, _by, count in rows:
            all_of[lease] += count
        self.usual = {(lease, by): 100 * count // all_of[lease] for lease, by, count in rows}

    def served(self, row: tuple) -> Served:
        (
            id_, elder, at, on, recorded, lease, service, scope, by, channel,
            quantity, list_price, government, claimed, ordered, ordered_on, died_on, evidence, denied_on,
        ) = row  # fmt: skip
        where = self.leases[lease]
        category, unit = self.services[service]
        cash = self.cash.get((where.premises, service)) if self.cash else None
        return Served(
            id_,
            elder,
            at,
            on,
            recorded,
            lease,
            where.premises,
            service,
            category,
            unit,
            scope,
            "" if scope == FILES else by,
            channel,
            quantity,
            list_price,
            government,
            ZERO if claimed is None else claimed,
            ordered,
            ordered_on,
            died_on,
            where.place,
            _on(cash, on) if cash else None,
            self._open(where.premises, on) if self.hours else None,
            self._kin(elder, where.operator, on) if self.kin else "",
            self.cashiers.get(lease, 0),
            self.usual.get((lease, by), 0) if self.usual else 0,
            evidence,
            bool(self.locks) and self._locked(on, recorded),
            denied_on,
        )

    def _locked(self, on: date, recorded: int) -> bool:
        """Whether the month was locked at that second; a locked month locks all before it."""
        return any(at <= recorded for month, at in self.locks if month >= on.replace(day=1))

    def _open(self, premises: int, on: date) -> Sequence[tuple[int, int]] | None:
        """The day's opening hours, none when closed; None where no hours are on record."""
        rows = self.hours.get(premises)
        if rows is None:
            return None
        if any(start <= on <= end for start, end in self.closures.get(premises, ())):
            return ()
        return [(_minute(row.opens_at), _minute(row.closes_at)) for row in rows if row.is_on(on)]

    def _kin(self, elder: int, operator: int, on: date) -> str:
        """staff before relative."""
        for relation, start, end in self.kin.get((elder, operator), ()):
            if start <= on and (end is None or on <= end):
                return relation
        return ""


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _on(dated: tuple[list[date], list[Decimal]], day: date) -> Decimal | None:
    days, prices = dated
    place = bisect_right(days, day)
    return prices[place - 1] if place else None


def groups(
    known: Known,
    of: str,
    *,
    start: date,
    end: date,
    only: Collection[int] | None = None,
) -> Iterator[Sequence[Served]]:
    """The services dated from `start` until before `end`, by elder or by lease, each group in order of time.

    `only`: these elders (or leases) alone. One pass; the server keeps what was not fetched yet.
    """
    column = "elder_id" if of == ELDER else "lease_id"
    sql = ROWS.format(order=f"r.{column}", only="" if only is None else f"AND r.{column} = ANY(%(only)s)")
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, {"start": start, "end": end, "only": list(only or ())})
        for _key, rows in groupby(_each(cursor, known), attrgetter("elder" if of == ELDER else "lease")):
            yield list(rows)


def _each(cursor: Any, known: Known) -> Iterator[Served]:
    served = known.served
    while rows := cursor.fetchmany(FETCH):
        for row in rows:
            yield served(row)


def lead_in(month: date) -> date:
    """A day before the month, so that what crosses midnight is seen."""
    return month - timedelta(days=1)


def lead_out(month: date) -> date:
    """Until before this day: the one after the month is read too."""
    return next_month(month) + timedelta(days=1)


def months_of(*, after: int = 0, beside: bool = False) -> list[date]:
    """The months of service of the redemptions numbered above `after`, oldest first; `beside`: with the month
    beyond the midnight where one stands on a month's first or last day."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT date_trunc('month', service_on + days)::date
            FROM vouchers_redemption, unnest(%s::int[]) AS days WHERE id > %s ORDER BY 1
            """,
            [[-1, 0, 1] if beside else [0], after],
        )
        return [month for (month,) in cursor.fetchall()]


def recent_months(*, most: int = 12) -> list[date]:
    """The months of service that hold redemptions, newest first, of the `most` up to what was told last."""
    last = Redemption.objects.order_by("-id").values_list("service_on", flat=True).first()
    if last is None:
        return []
    found, month = [], last.replace(day=1)
    for _n in range(most):
        if Redemption.objects.filter(service_on__gte=month, service_on__lt=next_month(month)).exists():
            found.append(month)
        month = previous_month(month)
    return found


def regulars_of_one(month: date, elders: Collection[int], services: int) -> set[int]:
    """The leases under which one of these elders had so many services at the place in the month, all by one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT unnest(array_agg(DISTINCT r.lease_id)) FROM vouchers_redemption r
                JOIN providers_service s ON s.id = r.service_id
            WHERE r.elder_id = ANY(%(elders)s) AND r.service_on >= %(start)s AND r.service_on < %(end)s
                AND r.reversed_on IS NULL AND r.key_scope <> %(files)s AND s.category = ANY(%(there)s)
            GROUP BY r.elder_id HAVING count(*) >= %(least)s AND count(DISTINCT r.by) = 1
            """,
            {
                "elders": list(elders),
                "start": month,
                "end": next_month(month),
                "files": FILES,
                "there": sorted(AT_THE_PLACE),
                "least": services,
            },
        )
        return {lease for (lease,) in cursor.fetchall()}


class New(NamedTuple):
    """A redemption that the rules have not looked at yet."""

    id: int
    elder: int
    lease: int
    on: date
    at: datetime


def new_after(number: int, most: int) -> list[New]:
    rows = Redemption.objects.filter(id__gt=number).order_by("id")
    return list(
        map(New._make, rows.values_list("id", "elder_id", "lease_id", "service_on", "happened_at")[:most])
    )
