"""The town in which the machine acts, as files, and both sides' way of taking them in.

Three leases. LA of PRA: from March other terms. LB of PRB: free of rent until 10 January, a crooked rate, three
months' carry. LC of PRC: no carry, ends on 20 February, after which PRC stands empty. OPA runs PRA;
OPB runs the others, and its safety check is too old from 6 to 15 March.

Nine programmes: offset and payout, of every scope and cadence, divisible or not, with shares, least spends, ages,
groups, a street, a budget; AA and PA tie over a lunch, and so do PC and ZP over a game.
"""

from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from marketplace.accounts.operations import create_user
from marketplace.offerings.operations import publish
from providers.models import Division, Lease, LeaseTerms, Offer, Operator, SafetyCheck
from providers.ordering.operations import Places, set_order_terms, set_sittings
from tests.reckoning.arithmetic import SHANGHAI
from tests.rules.bureau import Town
from vouchers.city.operations import load_city
from vouchers.redemption import terms

TOWN = Path(__file__).parent / "town"
NEWCOMERS = Path(__file__).parent / "newcomers"  # a later elders.csv

START = datetime(2026, 1, 1, 8, tzinfo=SHANGHAI)
MARCH = date(2026, 3, 1)
CHECKED_AGAIN = date(2026, 3, 16)
NEW_TERMS = {"offset_rate": Decimal("0.9"), "offset_cap": Decimal("0.4"), "carry_months": 0}

ELDERS = ("EA", "EB", "EC", "ED", "EE")  # EE is not on the register at first
PREMISES = ("PRA", "PRB", "PRC")
SERVICES = ("MEAL", "WASH", "PLAY")
LEASES = ("LA", "LB", "LC")
OPERATORS = ("OPA", "OPB")


class Person(NamedTuple):
    role: str
    operator: str | None = None
    division: str | None = None


PEOPLE = {
    "manager-a": Person("operator_manager", operator="OPA"),
    "manager-b": Person("operator_manager", operator="OPB"),
    "officer": Person("street_officer"),
    "officer-east": Person("street_officer", division="980101"),
    "clerk": Person("bureau_clerk"),
    "approver": Person("bureau_approver"),
    "auditor": Person("auditor"),
}
PLACES = {"PRA": "980101", "PRB": "980102", "PRC": "980102"}  # the street of each premises


class Seats(NamedTuple):
    """Every day so many places from `begins` to `ends`, ordered an hour before, at most `DAYS_AHEAD` days ahead."""

    begins: time
    ends: time
    places: int


SEATS = {
    ("PRA", "MEAL"): Seats(time(11, 30), time(12, 15), 3),
    ("PRB", "MEAL"): Seats(time(11, 30), time(12, 15), 2),
    ("PRC", "PLAY"): Seats(time(14), time(16), 2),
}
CUT_OFF_MINUTES, DAYS_AHEAD = 60, 14


def _market() -> None:
    for (premises, service), seats in SEATS.items():
        offer = Offer.objects.get(premises__code=premises, service__code=service)
        set_order_terms(
            offer=offer, where="there", manner="sitting", order_until_minutes=CUT_OFF_MINUTES,
            cancel_until_minutes=CUT_OFF_MINUTES, days_ahead=DAYS_AHEAD, by="ground", at=START,
        )  # fmt: skip
        week = [Places(weekday, *seats) for weekday in range(7)]
        set_sittings(offer=offer, sittings=week, by="ground", at=START)
    publish(on=START.date(), by="ground", at=START)


def build() -> None:
    """The town in the database, by the program's own operations."""
    load_city(directory=TOWN, by="ground", at=START)
    SafetyCheck.objects.create(operator=Operator.objects.get(code="OPB"), checked_on=CHECKED_AGAIN)
    old = LeaseTerms.objects.get(lease__code="LA")
    LeaseTerms.objects.create(
        lease=Lease.objects.get(code="LA"), starts_on=MARCH, monthly_rent=old.monthly_rent, **NEW_TERMS
    )
    for name, person in PEOPLE.items():
        create_user(
            username=name,
            role=person.role,
            operator=Operator.objects.get(code=person.operator) if person.operator else None,
            division=Division.objects.get(code=person.division) if person.division else None,
            by="ground",
            at=START,
        )
    _market()
    terms.current()  # opens the accounts that redemptions use


def reckoned() -> Town:
    """The same town in the plain model."""
    town = Town(people=PEOPLE, places=PLACES)
    town.load(TOWN)
    town.operators["OPB"].checked_on.add(CHECKED_AGAIN)
    la = town.leases["LA"]
    la.terms.append((MARCH, replace(la.terms_on(MARCH), **NEW_TERMS)))
    return town
