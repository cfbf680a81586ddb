"""What is in the elders' wallets while a town is being made up.

A town whose redemptions are refused half of the time is no town, so the generator keeps the wallets
along: who holds which voucher, what a visit would spend, what is left. It follows rules.md sections 3
to 6 in whole fen and is written apart from the program's own rules, which it therefore also checks: what
it expects to be accepted or refused is compared with what the program did (tests/sample).
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.sample.dates import add_months, last_day
from marketplace.sample.people import Elder
from marketplace.sample.terms import Lease, Programme
from marketplace.sample.town import Service, Town


@dataclass
class Voucher:
    programme: Programme
    serial: int
    valid_from: date
    valid_until: date
    left: int


@dataclass(frozen=True)
class Visit:
    """One row of a redemption file."""

    key: str
    happened_at: str
    day: date
    premises: str
    service: str
    elder: str
    quantity: int
    channel: str

    def row(self) -> dict[str, str]:
        names = ("key", "happened_at", "premises", "service", "elder", "quantity", "channel")
        return {name: str(getattr(self, name)) for name in names}


@dataclass(frozen=True)
class Spending:
    """What an accepted visit took: (voucher, fen) pairs, and how many fen other public money paid."""

    visit: Visit
    lines: tuple[tuple[Voucher, int], ...]
    public: int


class Wallets:
    def __init__(self, town: Town):
        self.town = town
        self.vouchers: dict[str, list[Voucher]] = defaultdict(list)
        self.spendings: dict[str, Spending] = {}
        self.keys: dict[str, Visit] = {}
        self.used_that_day: Counter[tuple[str, str, date]] = Counter()
        self.deaths: dict[str, date] = {}
        self.suspensions: dict[str, date] = {}
        self.issued: set[tuple[str, date]] = set()
        self.serial = 0

    # Changes, in the order in which the files are played ----------------------------------------------

    def issue(self, on: date) -> None:
        for programme in self.town.programmes:
            if not self._due(programme, on) or (programme.code, on) in self.issued:
                continue
            self.issued.add((programme.code, on))
            until = self._valid_until(programme, on)
            spent = 0
            for elder in self.town.elders:
                if not self._eligible(programme, elder, on):
                    continue
                allotment = programme.face * programme.per_elder
                if programme.budget is not None and spent + allotment > programme.budget:
                    break
                spent += allotment
                for _ in range(programme.per_elder):
                    self.serial += 1
                    voucher = Voucher(programme, self.serial, on, until, programme.face)
                    self.vouchers[elder.code].append(voucher)

    def redeem(self, visit: Visit) -> str:
        """`accepted`, `repeated`, or the code of the refusal."""
        if visit.key in self.spendings:
            return "repeated" if self.keys[visit.key] == visit else "key_reused"
        refusal, spending = self.judge(visit)
        if spending is None:
            return refusal
        for voucher, fen in spending.lines:
            voucher.left -= fen
        self.spendings[visit.key] = spending
        self.keys[visit.key] = visit
        self.used_that_day[visit.elder, visit.service, visit.day] += visit.quantity
        return "accepted"

    def reverse(self, key: str, on: date) -> None:
        spending = self.spendings[key]
        visit = spending.visit
        self.used_that_day[visit.elder, visit.service, visit.day] -= visit.quantity
        dead = visit.elder in self.deaths
        for voucher, fen in spending.lines:
            if voucher.valid_until >= on and not dead:
                voucher.left += fen

    def expire(self, before: date) -> None:
        for vouchers in self.vouchers.values():
            for voucher in vouchers:
                if voucher.valid_until < before:
                    voucher.left = 0

    def learn_of_death(self, elder: str, died_on: date) -> None:
        self.deaths[elder] = died_on
        for voucher in self.vouchers[elder]:
            voucher.left = 0

    def learn_of_suspension(self, operator: str, on: date) -> None:
        self.suspensions[operator] = on

    # Questions ---------------------------------------------------------------------------------------

    def judge(self, visit: Visit) -> tuple[str, Spending | None]:
        """The first refusal in the order of rules.md section 4, or what the visit would spend."""
        town, day = self.town, visit.day
        service, elder = town.services.get(visit.service), town.elder_by_code.get(visit.elder)
        if visit.premises not in town.premises_codes or service is None or elder is None:
            return "unknown_reference", None
        lease = town.lease_of(visit.premises, day)
        if lease is None:
            return "no_lease", None
        suspended_on = self.suspensions.get(lease.operator)
        if suspended_on is not None and suspended_on <= day:
            return "operator_suspended", None
        if (visit.premises, visit.service) not in town.offers:
            return "service_not_offered", None
        if visit.elder in self.deaths and self.deaths[visit.elder] <= day:
            return "elder_deceased", None
        price = service.price_on(day, elder.age_on(day))
        if price is None:
            return "no_price", None
        used = self.used_that_day[visit.elder, visit.service, day]
        if service.daily_limit is not None and used + visit.quantity > service.daily_limit:
            return "daily_limit", None
        due = price.elder * visit.quantity
        lines = self._allocate(elder, lease, service, day, due)
        public = (price.government + price.charity) * visit.quantity
        if not lines and not public:
            return "nothing_spendable", None
        return "", Spending(visit, tuple(lines), public)

    def _allocate(
        self, elder: Elder, lease: Lease, service: Service, day: date, due: int
    ) -> list[tuple[Voucher, int]]:
        covering = [
            voucher
            for voucher in self.vouchers[elder.code]
            if voucher.left
            and voucher.valid_from <= day <= voucher.valid_until
            and service.category in voucher.programme.categories
            and voucher.programme.min_spend <= due
            and self._reaches(voucher.programme, lease, day)
        ]
        covering.sort(key=lambda v: (v.valid_until, v.programme.code, v.serial))
        offset = self._pay([v for v in covering if v.programme.settlement == "offset"], due)
        payout = self._pay([v for v in covering if v.programme.settlement == "payout"], due)

        # The kind that pays more; on a tie the one whose first paying voucher comes first.
        def rank(lines: list[tuple[Voucher, int]]) -> tuple[int, int]:
            return sum(fen for _, fen in lines), -covering.index(lines[0][0])

        return max((lines for lines in (offset, payout) if lines), key=rank, default=[])

    @staticmethod
    def _pay(vouchers: list[Voucher], due: int) -> list[tuple[Voucher, int]]:
        lines: list[tuple[Voucher, int]] = []
        paid, by_programme = 0, Counter[str]()
        for voucher in vouchers:
            programme = voucher.programme
            allowed = min(due - paid, programme.share * due // 1000 - by_programme[programme.code])
            if programme.divisible:
                fen = min(voucher.left, allowed)
            else:
                fen = voucher.left if voucher.left <= allowed else 0
            if fen > 0:
                lines.append((voucher, fen))
                paid += fen
                by_programme[programme.code] += fen
        return lines

    def _reaches(self, programme: Programme, lease: Lease, day: date) -> bool:
        if programme.scope == "city":
            return True
        if programme.scope == "premises":
            return programme.lease == lease.code
        own = self.town.lease_by_code[programme.lease]
        return own.in_force_on(day) and own.operator == lease.operator

    def _eligible(self, programme: Programme, elder: Elder, on: date) -> bool:
        died_on = self.deaths.get(elder.code)
        return (
            (died_on is None or died_on > on)
            and elder.age_on(on) >= programme.min_age
            and (programme.min_ability is None or (elder.ability_level or 0) >= programme.min_ability)
            and (not programme.any_of or not set(programme.any_of).isdisjoint(elder.categories))
            and (not programme.divisions or any(elder.division.startswith(d) for d in programme.divisions))
        )

    def _due(self, programme: Programme, on: date) -> bool:
        if not programme.starts_on <= on <= programme.ends_on:
            return False
        if programme.lease and not self.town.lease_by_code[programme.lease].in_force_on(on):
            return False
        if programme.cadence == "once":
            return on == programme.starts_on
        return on.day == 1 and (programme.cadence == "monthly" or on.month in (1, 4, 7, 10))

    @staticmethod
    def _valid_until(programme: Programme, on: date) -> date:
        if programme.valid_days:
            until = on + timedelta(days=programme.valid_days - 1)
        elif programme.cadence == "once":
            until = programme.ends_on
        else:
            first = on.replace(day=1)
            until = last_day(add_months(first, 2) if programme.cadence == "quarterly" else first)
        return min(until, programme.ends_on)
