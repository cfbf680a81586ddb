"""A town small enough to reckon by hand: one elder, one service at one yuan a piece, one lease.

`town()` takes what is to be otherwise: town(lease={"offset_rate": Decimal("0.9")}, programme={...}).
"""

from datetime import date, datetime
from decimal import Decimal

from .model import City
from .terms import FAR, Elder, Lease, LeaseTerms, Operator, Price, Programme, Service

JULY = date(2026, 7, 1)


def programme(code="PA", **otherwise):
    terms = {
        "settlement": "offset",
        "lease": "LS1",
        "scope": "premises",
        "face_value": Decimal("2000.00"),
        "divisible": True,
        "per_elder": 1,
        "cadence": "monthly",
        "starts_on": JULY,
        "ends_on": date(2027, 12, 31),
        "valid_days": None,
        "max_share": Decimal("1"),
        "min_spend": Decimal("0"),
        "categories": frozenset({"canteen"}),
        "min_age": 60,
        "min_ability": None,
        "any_of": frozenset(),
        "divisions": frozenset(),
    }
    return Programme(code=code, **(terms | otherwise))


def price(elder_price="1.00", *, government="0", charity="0", since=date(2020, 1, 1), until=FAR):
    parts = Decimal(government), Decimal("0"), Decimal(charity)
    return Price(since, until, 60, 999, Decimal(elder_price) + sum(parts), *parts)


def town(*, lease=None, programmes=None, daily_limit=None):
    city = City()
    city.operators["OP1"] = Operator("OP1", "样例运营一", {date(2026, 6, 1)})
    city.premises |= {"PR1"}
    starts_on = (lease or {}).pop("starts_on", date(2026, 1, 1))
    ends_on = (lease or {}).pop("ends_on", date(2030, 12, 31))
    terms = {
        "monthly_rent": Decimal("3000.00"),
        "rent_free_until": None,
        "offset_rate": Decimal("1"),
        "offset_cap": Decimal("0.5"),
        "carry_months": 1,
    }
    dated = [(starts_on, LeaseTerms(**(terms | (lease or {}))))]
    city.leases["LS1"] = Lease("LS1", "PR1", "OP1", starts_on, ends_on, dated)
    city.services["SV1"] = Service("SV1", "canteen", daily_limit)
    city.offers.add(("PR1", "SV1"))
    city.prices["SV1"].append(price())
    city.elders["LI"] = Elder("LI", date(1946, 5, 1), "1", None, frozenset())
    for each in programmes or [programme()]:
        city.programmes[each.code] = each
    return city


def noon(day):
    return datetime.fromisoformat(f"{day}T12:00:00+08:00")


def spend(city, key, day, quantity, **otherwise):
    """Grandma Li takes `quantity` pieces at noon of that day, one yuan each."""
    told = {"premises": "PR1", "service": "SV1", "elder": "LI"} | otherwise
    return city.redeem(key=key, happened_at=noon(day), quantity=quantity, **told)[0]
