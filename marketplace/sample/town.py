"""The town before anything happens in it: places, firms, terms, prices and people, as rows of files."""

import csv
import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from marketplace.sample import terms
from marketplace.sample.dates import Calendar, add_months
from marketplace.sample.people import Elder, credit_code, make_elders

DATA = Path(__file__).parent / "data"


def read_data(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fen(yuan: str) -> int:
    whole, _, part = yuan.partition(".")
    return int(whole) * 100 + int(f"{part:0<2}")


@dataclass(frozen=True)
class Price:
    """One dated row of a service's price, in fen."""

    valid_from: date
    valid_until: date | None
    min_age: int
    max_age: int | None
    list_price: int
    government: int
    concession: int
    charity: int

    @property
    def elder(self) -> int:
        return self.list_price - self.government - self.concession - self.charity


@dataclass(frozen=True)
class Service:
    code: str
    name: str
    category: str
    unit: str
    daily_limit: int | None
    prices: tuple[Price, ...]

    def price_on(self, day: date, age: int) -> Price | None:
        for price in self.prices:
            dated = price.valid_from <= day <= (price.valid_until or day)
            if dated and price.min_age <= age <= (price.max_age or age):
                return price
        return None


class Town:
    """Everything the files of `load_city` say, with the look-ups that making up visits needs."""

    def __init__(self, calendar: Calendar, *, seed: int, elders: int):
        self.calendar = calendar
        self.leases = terms.leases(calendar)
        self.programmes = terms.programmes(calendar, self.leases)
        self.services = {service.code: service for service in self._services()}
        self.offers = self._offers()
        self.elders: list[Elder] = make_elders(
            random.Random(f"{seed}:people"),
            number=elders,
            homes=self._homes(),
            start=calendar.start,
        )

    # Look-ups ----------------------------------------------------------------------------------------

    @cached_property
    def elder_by_code(self) -> dict[str, Elder]:
        return {elder.code: elder for elder in self.elders}

    @cached_property
    def lease_by_code(self) -> dict[str, terms.Lease]:
        return {lease.code: lease for lease in self.leases}

    @cached_property
    def premises_codes(self) -> set[str]:
        return {row["code"] for row in read_data("premises.csv")}

    def lease_of(self, premises: str, day: date) -> terms.Lease | None:
        return next((x for x in self._leases_of(premises) if x.in_force_on(day)), None)

    def _leases_of(self, premises: str) -> list[terms.Lease]:
        return self._leases_by_premises.get(premises, [])

    @cached_property
    def _leases_by_premises(self) -> dict[str, list[terms.Lease]]:
        found: dict[str, list[terms.Lease]] = {}
        for lease in self.leases:
            found.setdefault(lease.premises, []).append(lease)
        return found

    # What is in it -----------------------------------------------------------------------------------

    @staticmethod
    def _homes() -> list[tuple[str, int]]:
        """Communities with their weight: a street's weight shared by its communities."""
        communities = [row for row in read_data("divisions.csv") if row["level"] == "community"]
        of_street: dict[str, int] = {}
        for row in communities:
            of_street[row["parent"]] = of_street.get(row["parent"], 0) + 1
        return [
            (row["code"], terms.STREET_WEIGHTS[row["parent"]] * 6 // of_street[row["parent"]])
            for row in communities
        ]

    def _services(self) -> list[Service]:
        rows: dict[str, list[dict[str, str]]] = {}
        for row in read_data("services.csv"):
            rows.setdefault(row["code"], []).append(row)
        return [
            Service(
                code=code,
                name=some[0]["name"],
                category=some[0]["category"],
                unit=some[0]["unit"],
                daily_limit=int(some[0]["daily_limit"]) if some[0]["daily_limit"] else None,
                prices=tuple(self._price(row) for row in some),
            )
            for code, some in rows.items()
        ]

    def _price(self, row: dict[str, str]) -> Price:
        calendar = self.calendar
        first = add_months(calendar.start, -12)
        until = None
        if row["from_month"]:
            first = calendar.month(int(row["from_month"]))
        if row["until_month"]:
            until = calendar.month(int(row["until_month"]) + 1) - timedelta(days=1)
        return Price(
            valid_from=first,
            valid_until=until,
            min_age=int(row["min_age"]),
            max_age=int(row["max_age"]) if row["max_age"] else None,
            list_price=fen(row["list_price"]),
            government=fen(row["government"]),
            concession=fen(row["concession"]),
            charity=fen(row["charity"]),
        )

    def _offers(self) -> set[tuple[str, str]]:
        premises_of = {lease.code: lease.premises for lease in self.leases}
        besides = {
            (premises_of[lease], service)
            for lease, services in terms.OFFERED_BESIDES.items()
            for service in services
        }
        return besides | {(premises_of[diary.lease], diary.service) for diary in terms.DIARIES}

    # Files -------------------------------------------------------------------------------------------

    def operator_rows(self) -> list[dict[str, str]]:
        rows = []
        for number, row in enumerate(read_data("operators.csv"), start=1):
            checked_on = ""
            if row["check_days_before"]:
                checked_on = str(self.calendar.start - timedelta(days=int(row["check_days_before"])))
            rows.append(
                {
                    "code": row["code"],
                    "name": row["name"],
                    "uscc": credit_code(number),
                    "phone": f"199000{90000 + number}",
                    "filing_no": f"示例备{number:04d}" if checked_on else "",
                    "safety_checked_on": checked_on,
                    "stars": row["stars"],
                    "suspended_on": "",
                }
            )
        return rows

    def _stage_since(self, premises: str, days: str) -> date:
        """The day on which premises reached their stage: so many days ago, else as their first lease began."""
        if days:
            return self.calendar.today - timedelta(days=int(days))
        return min(lease.starts_on for lease in self._leases_of(premises))

    def files(self) -> dict[str, list[dict[str, str]]]:
        """The rows of each file of `load_city`, in the columns of contracts.md."""
        divisions = [
            {name: row[name] for name in ("code", "name", "level", "parent")}
            for row in read_data("divisions.csv")
        ]
        premises = []
        for row in read_data("premises.csv"):
            kept = {name: value for name, value in row.items() if name not in ("story", "stage_days")}
            since = self._stage_since(row["code"], row["stage_days"])
            premises.append(
                {("division" if n == "community" else n): v for n, v in kept.items()}
                | {"stage_since": str(since)}
            )
        services = [
            {
                "code": s.code,
                "name": s.name,
                "category": s.category,
                "unit": s.unit,
                "daily_limit": "" if s.daily_limit is None else str(s.daily_limit),
            }
            for s in self.services.values()
        ]
        prices = [
            {
                "service": s.code,
                "valid_from": str(p.valid_from),
                "valid_until": str(p.valid_until or ""),
                "min_age": str(p.min_age),
                "max_age": "" if p.max_age is None else str(p.max_age),
                "list_price": terms.yuan(p.list_price),
                "government": terms.yuan(p.government),
                "concession": terms.yuan(p.concession),
                "charity": terms.yuan(p.charity),
            }
            for s in self.services.values()
            for p in s.prices
        ]
        return {
            "divisions.csv": divisions,
            "operators.csv": self.operator_rows(),
            "premises.csv": premises,
            "leases.csv": [lease.row() for lease in self.leases],
            "services.csv": services,
            "offers.csv": [{"premises": p, "service": s} for p, s in sorted(self.offers)],
            "service_prices.csv": prices,
            "adaptation_services.csv": [
                {"service": service, "item": item} for service, item in terms.ITEMS.items()
            ],
            "programmes.csv": [programme.row() for programme in self.programmes],
            "elders.csv": [elder.row() for elder in self.elders],
        }
