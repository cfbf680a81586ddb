"""Who and what a city consists of, and how its files are read.

One dataclass per file of the contract. Reading is trusting: the scenarios played here are well-formed;
that a bad file is refused whole is the program's business and is tested there.
"""

import csv
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .arithmetic import age_on

FAR = date(9999, 12, 31)


@dataclass
class Division:
    code: str
    parent: str | None


@dataclass
class Operator:
    code: str
    name: str
    checked_on: set = field(default_factory=set)
    suspended: list = field(default_factory=list)  # [from, until]: from inclusive, until exclusive

    def is_suspended(self, day):
        if any(start <= day < end for start, end in self.suspended):
            return True
        made = [c for c in self.checked_on if c <= day]
        return not made or (day - max(made)).days > 365


@dataclass
class LeaseTerms:
    monthly_rent: Decimal
    rent_free_until: date | None
    offset_rate: Decimal
    offset_cap: Decimal
    carry_months: int


@dataclass
class Lease:
    code: str
    premises: str
    operator: str
    starts_on: date
    ends_on: date
    terms: list  # [(from, LeaseTerms)], rising

    def in_force(self, day):
        return self.starts_on <= day <= self.ends_on

    def terms_on(self, day):
        """The terms in force on that day; before the first row of terms, the first."""
        return [t for start, t in self.terms if start <= day or start == self.terms[0][0]][-1]


@dataclass
class Service:
    code: str
    category: str
    daily_limit: int | None


@dataclass
class Price:
    valid_from: date
    valid_until: date
    min_age: int
    max_age: int
    list_price: Decimal
    government: Decimal
    concession: Decimal
    charity: Decimal

    @property
    def elder_price(self):
        return self.list_price - self.government - self.concession - self.charity

    def fits(self, day, age):
        return self.valid_from <= day <= self.valid_until and self.min_age <= age <= self.max_age


@dataclass
class Programme:
    code: str
    settlement: str
    lease: str | None
    scope: str
    face_value: Decimal
    divisible: bool
    per_elder: int
    cadence: str
    starts_on: date
    ends_on: date
    valid_days: int | None
    max_share: Decimal
    min_spend: Decimal
    categories: frozenset
    min_age: int
    min_ability: int | None
    any_of: frozenset
    divisions: frozenset
    budget: Decimal | None = None


@dataclass
class Elder:
    code: str
    born_on: date
    division: str
    ability: int | None
    categories: frozenset
    died_on: date | None = None

    def age_on(self, day):
        return age_on(self.born_on, day)


def rows(path):
    """The rows of a CSV file as dicts; a file that is not there has none."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _day(text):
    return date.fromisoformat(text) if text else None


def _whole(text):
    return int(text) if text else None


def _many(text):
    return frozenset(part.strip() for part in text.split(";") if part.strip())


def division(row):
    return Division(row["code"], row["parent"] or None)


def lease(row):
    starts_on = _day(row["starts_on"])
    terms = LeaseTerms(
        Decimal(row["monthly_rent"]),
        _day(row["rent_free_until"]),
        Decimal(row["offset_rate"]),
        Decimal(row["offset_cap"]),
        int(row["carry_months"]),
    )
    return Lease(
        row["code"], row["premises"], row["operator"], starts_on, _day(row["ends_on"]), [(starts_on, terms)]
    )


def service(row):
    return Service(row["code"], row["category"], _whole(row["daily_limit"]))


def price(row):
    return Price(
        _day(row["valid_from"]),
        _day(row["valid_until"]) or FAR,
        _whole(row["min_age"]) or 0,
        _whole(row["max_age"]) or 999,
        *(Decimal(row[part] or "0") for part in ("list_price", "government", "concession", "charity")),
    )


def programme(row):
    return Programme(
        code=row["code"],
        settlement=row["settlement"],
        lease=row["lease"] or None,
        scope=row["scope"],
        face_value=Decimal(row["face_value"]),
        divisible=row["divisible"] == "yes",
        per_elder=int(row["per_elder"]),
        cadence=row["cadence"],
        starts_on=_day(row["starts_on"]),
        ends_on=_day(row["ends_on"]) or FAR,
        valid_days=_whole(row["valid_days"]),
        max_share=Decimal(row["max_share"] or "1"),
        min_spend=Decimal(row["min_spend"] or "0"),
        categories=_many(row["categories"]),
        min_age=_whole(row["min_age"]) or 0,
        min_ability=_whole(row["min_ability"]),
        any_of=_many(row["any_of"]),
        divisions=_many(row["divisions"]),
        budget=Decimal(row["budget"]) if row.get("budget") else None,
    )


def elder(row):
    number = row["id_number"]
    return Elder(
        code=row["code"],
        born_on=date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        division=row["division"],
        ability=_whole(row["ability_level"]),
        categories=_many(row["categories"]),
        died_on=_day(row["died_on"]),
    )
