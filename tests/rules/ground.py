"""The town in which the machine acts, as files, and both sides' way of taking them in.

Three leases. LA of PRA: from March other terms. LB of PRB: free of rent until 10 January, a crooked rate, three
months' carry. LC of PRC: no carry, ends on 20 February, after which PRC stands empty. OPA runs PRA;
OPB runs the others, and its safety check is too old from 6 to 15 March.

Nine programmes: offset and payout, of every scope and cadence, divisible or not, with shares, least spends, ages,
groups, a street, a budget; AA and PA tie over a lunch, and so do PC and ZP over a game.
"""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from marketplace.accounts.operations import create_user
from providers.models import Division, Lease, LeaseTerms, Operator, SafetyCheck
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
    terms.current()  # opens the accounts that redemptions use


def reckoned() -> Town:
    """The same town in the plain model."""
    town = Town(people=PEOPLE, places=PLACES)
    town.load(TOWN)
    town.operators["OPB"].checked_on.add(CHECKED_AGAIN)
    la = town.leases["LA"]
    la.terms.append((MARCH, replace(la.terms_on(MARCH), **NEW_TERMS)))
    return town
