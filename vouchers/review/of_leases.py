"""Rules that look at all that was served under one lease, in order of time. Pure, as in of_elders.py."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from vouchers.review.facts import MEALS, SHANGHAI, VISITS, Finding, Findings, Served, number

Values = Mapping[str, int]


def burst(served: Sequence[Served], p: Values) -> Findings:
    """More than `most` redemptions at one counter within `seconds`."""
    counters: dict[tuple[str, str], list[Served]] = defaultdict(list)
    for one in served:
        counters[one.counter, one.cashier].append(one)
    for rows in counters.values():
        for one, count in crowded(((row, 1) for row in rows), p["seconds"], p["most"]):
            yield Finding(one.id, one.on, {"count": count, "seconds": p["seconds"]})


def too_fast(served: Sequence[Served], p: Values) -> Findings:
    """The operator's own vouchers, which earn its own rent, redeemed faster than anybody can serve: more than
    `meals` meals within ten minutes at one counter, or one carer's next visit to another home before the last
    can have ended (`visit` minutes a visit, `hour` minutes an hour booked)."""
    meals: dict[str, list[Served]] = defaultdict(list)
    visits: dict[str, list[Served]] = defaultdict(list)
    for one in served:
        if one.claimed <= 0:
            continue
        if one.category in MEALS:
            meals[one.counter].append(one)
        elif one.category in VISITS and one.cashier and one.unit in ("visit", "hour"):
            visits[one.cashier].append(one)
    for rows in meals.values():
        for one, count in crowded(((row, row.quantity) for row in rows), 600, p["meals"]):
            yield Finding(one.id, one.on, {"meals": count, "minutes": 10})
    for rows in visits.values():
        for first, second in pairwise(rows):
            needed = p["visit"] if second.unit == "visit" else p["hour"] * second.quantity
            minutes = (second.at - first.at) // 60
            if first.elder != second.elder and minutes < needed:
                facts = {"minutes": minutes, "needed": needed, "beside": [number(first.id)]}
                yield Finding(second.id, second.on, facts)


def crowded(rows: Iterable[tuple[Served, int]], seconds: int, most: int) -> Iterable[tuple[Served, int]]:
    """Every row that stands in a stretch of `seconds` holding more than `most`, once, with how many it held."""
    window: deque[tuple[Served, int]] = deque()
    held = 0
    named: dict[int, tuple[Served, int]] = {}
    for row, weight in rows:
        window.append((row, weight))
        held += weight
        while row.at - window[0][0].at > seconds:
            held -= window.popleft()[1]
        if held > most:
            # Backwards until one that is named: those before it are too.
            for other, _ in reversed(window):
                if other.id in named:
                    break
                named[other.id] = (other, held)
    return named.values()


def last_hour(served: Sequence[Served], p: Values) -> Findings:
    """In the last `hours` of a month more than `times` as many as in the same hours of its other days on
    average, and at least `least`."""
    of_month: dict[tuple[int, int], list[Served]] = defaultdict(list)
    for one in served:
        of_month[one.on.year, one.on.month].append(one)
    from_minute = 24 * 60 - p["hours"] * 60
    for rows in of_month.values():
        last_day = (rows[0].on.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        rush, usual = [], 0
        for one in rows:
            if (one.at + SHANGHAI) % 86400 >= from_minute * 60:
                if one.on == last_day:
                    rush.append(one)
                else:
                    usual += 1
        average = usual / (last_day.day - 1)
        if len(rush) >= p["least"] and len(rush) > p["times"] * average:
            for one in rush:
                yield Finding(one.id, one.on, {"count": len(rush), "usual": round(average, 1)})
