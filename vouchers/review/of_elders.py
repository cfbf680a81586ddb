"""Rules that look at all that one elder had, in order of time. Pure: services and parameters in, findings out.

Each takes the services of one elder (of a month, with those of the day before it) and the rule's parameters,
whole numbers by name; what the parameters mean stands in catalogue.py.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise

from providers.premises.distances import distance_km
from vouchers.review.facts import (
    AT_THE_PLACE,
    FILES,
    MEALS,
    SHANGHAI,
    VISITS,
    Finding,
    Findings,
    Served,
    number,
)

Values = Mapping[str, int]


def after_death(had: Sequence[Served], p: Values) -> Findings:
    """Served on the day of death or after it."""
    for one in had:
        if one.died_on is not None and one.died_on <= one.on:
            yield Finding(one.id, one.on, {"died_on": one.died_on.isoformat()})


def too_far(had: Sequence[Served], p: Values) -> Findings:
    """Two places `km` or more apart, closer in time than somebody can travel at `kmh`. Both are named: either
    may be the false one."""
    at_places = [one for one in had if one.place is not None and one.category in AT_THE_PLACE]
    for first, second in pairwise(at_places):
        if first.premises == second.premises or first.place is None or second.place is None:
            continue
        km = distance_km(first.place, second.place)
        seconds = second.at - first.at
        if km >= p["km"] and km * 3600 > p["kmh"] * seconds:
            about = {"km": round(km, 1), "minutes": round(seconds / 60)}
            yield Finding(first.id, first.on, {**about, "beside": [number(second.id)]})
            yield Finding(second.id, second.on, {**about, "beside": [number(first.id)]})


def too_much(had: Sequence[Served], p: Values) -> Findings:
    """More than `meals` meals on one day, wherever they were had: those beyond are named."""
    eaten: dict[object, int] = defaultdict(int)
    for one in had:
        if one.category in MEALS and one.unit == "meal":
            eaten[one.on] += one.quantity
            if eaten[one.on] > p["meals"]:
                yield Finding(one.id, one.on, {"meals": eaten[one.on]})


def duplicate(had: Sequence[Served], p: Values) -> Findings:
    """The same service at the same place again within `minutes`, neither of them ordered."""
    last: dict[tuple[int, int], Served] = {}
    for one in had:
        if one.ordered is not None:
            continue
        before = last.get((one.service, one.premises))
        if before is not None and one.at - before.at <= p["minutes"] * 60:
            yield Finding(
                one.id,
                one.on,
                {"minutes": round((one.at - before.at) / 60), "beside": [number(before.id)]},
            )
        last[one.service, one.premises] = one


def claimed_twice(had: Sequence[Served], p: Values) -> Findings:
    """One service claimed once for rent offset and within `minutes` once more for the subsidy alone."""
    last: dict[tuple[int, bool], Served] = {}
    for one in had:
        offset = one.claimed > 0
        if not offset and one.government <= 0:
            continue
        before = last.get((one.service, not offset))
        if before is not None and one.at - before.at <= p["minutes"] * 60:
            subsidy = before if offset else one
            yield Finding(
                one.id,
                one.on,
                {"government": str(subsidy.government), "beside": [number(before.id)]},
            )
        last[one.service, offset] = one


def one_cashier(had: Sequence[Served], p: Values) -> Findings:
    """`services` or more in a month, all by one cashier or tablet, where `cashiers` or more serve and this one serves
    `share` per cent of the place's guests at most. Named once: at the service that made it so many."""
    of_month: dict[tuple[int, int], list[Served]] = defaultdict(list)
    for one in had:
        if one.cashier and one.category in AT_THE_PLACE:
            of_month[one.on.year, one.on.month].append(one)
    for services in of_month.values():
        if len(services) < p["services"]:
            continue
        if len({one.cashier for one in services}) > 1:
            continue
        one = services[p["services"] - 1]
        if min(s.cashiers for s in services) >= p["cashiers"] and one.usual <= p["share"]:
            yield Finding(
                one.id,
                one.on,
                {
                    "services": len(services),
                    "cashiers": one.cashiers,
                    "cashier": one.cashier,
                    "usual": one.usual,
                },
            )


# Rules that need nothing but the redemption itself


def closed(had: Sequence[Served], p: Values) -> Findings:
    """Served at the place more than `minutes` before it opens or after it closes."""
    for one in had:
        if one.open_at is None or one.category not in AT_THE_PLACE:
            continue
        slack = p["minutes"]
        if not any(start - slack <= one.minute <= end + slack for start, end in one.open_at):
            facts: dict[str, object] = {"clock": clock(one.minute)}
            if one.open_at:
                facts["hours"] = [f"{clock(start)}–{clock(end)}" for start, end in one.open_at]
            yield Finding(one.id, one.on, facts)


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def kin(had: Sequence[Served], p: Values) -> Findings:
    """The elder works for the operator that served, or is a relative of one who does."""
    for one in had:
        if one.kin == "staff" or (one.kin == "relative" and p["relatives"]):
            yield Finding(one.id, one.on, {"relation": one.kin})


def too_dear(had: Sequence[Served], p: Values) -> Findings:
    """Charged more than `percent` per cent above what cash customers pay there."""
    for one in had:
        if one.cash_price is None:
            continue
        each = one.list_price / one.quantity
        if each * 100 > one.cash_price * (100 + p["percent"]):
            facts = {"charged": f"{each:.2f}", "cash": f"{one.cash_price:.2f}"}
            yield Finding(one.id, one.on, facts)


PROVES_PRESENCE = frozenset({"qr", "pin", "offline", "paper"})
"""The elder's code, PIN or signed token, or a signature."""


def no_evidence(had: Sequence[Served], p: Values) -> Findings:
    """A visit to the home that no order, no code, PIN or signature of the elder's and no record of the visit proves."""
    for one in had:
        if one.category not in VISITS or one.evidence:
            continue
        if one.evidence is None and (one.ordered is not None or one.channel in PROVES_PRESENCE):
            continue
        yield Finding(one.id, one.on, {"channel": one.channel or "none"})


def order_differs(had: Sequence[Served], p: Values) -> Findings:
    """More was delivered than had been ordered, by more than `quantity`."""
    for one in had:
        if one.ordered is not None and one.quantity > one.ordered + p["quantity"]:
            yield Finding(one.id, one.on, {"ordered": one.ordered, "redeemed": one.quantity})


def wrong_month(had: Sequence[Served], p: Values) -> Findings:
    """Dated in another month than its order, or in a month that had not begun when it was recorded."""
    for one in had:
        if one.ordered_on is not None and (one.ordered_on.year, one.ordered_on.month) != (
            one.on.year,
            one.on.month,
        ):
            yield Finding(one.id, one.on, {"ordered_on": one.ordered_on.isoformat()})
        elif one.recorded < one.at and date_of(one.recorded) < one.on.replace(day=1):
            yield Finding(one.id, one.on, {"recorded_on": date_of(one.recorded).isoformat()})


def late(had: Sequence[Served], p: Values) -> Findings:
    """Reported more than `days` days after it was served. Files may tell of any day (rules.md section 4): of what
    they bring only that counts whose month was locked by then."""
    for one in had:
        days = (one.recorded - one.at) // 86400
        if days > p["days"] and (one.counter != FILES or one.locked):
            yield Finding(one.id, one.on, {"days": days})


def denied(had: Sequence[Served], p: Values) -> Findings:
    """The elder, called back, said that it was not had."""
    for one in had:
        if one.denied_on is not None:
            yield Finding(one.id, one.on, denial(one.denied_on))


def denial(asked_on: date) -> dict[str, str]:
    """The facts of `denied`."""
    return {"asked_on": asked_on.isoformat()}


def date_of(second: int) -> date:
    """The day in Asia/Shanghai on which an instant lies."""
    return datetime.fromtimestamp(second + SHANGHAI, UTC).date()
