"""A day and a seed in, a town's files out. Nothing here knows the database or the clock."""

import csv
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from marketplace.sample.dates import Calendar, add_months, label
from marketplace.sample.days import DayPlanner
from marketplace.sample.people import Elder
from marketplace.sample.terms import (
    RECHECKED_OPERATOR,
    SUSPENDED_LEASE,
    SUSPENDED_OPERATOR,
)
from marketplace.sample.town import Town
from marketplace.sample.wallets import Visit, Wallets

ELDERS = 3000
GROWTH = (0.92, 1.0, 1.05, 1.08)  # of the four months
REASONS = (
    "老人未到店，店员点错",
    "餐点退回",
    "扫错老人的码",
    "服务中途取消",
    "登记错了服务项目",
)

# Leases whose vouchers outlive a month, and whose paper lists come in after it.
LATE_AT_MONTH_END = {"LS003", "LS007", "LS010"}

# Leases of the third month that already have approvals, and the one changed after its confirmation.
CONFIRMED = ("LS001", "LS006")
REVIEWED = ("LS008",)
CHANGED = "LS006"


@dataclass
class Sample:
    """What `generate` made: the steps to play, and what each import is expected to answer."""

    calendar: Calendar
    town: Town
    steps: list[str]
    # file name -> Counter of accepted, repeated, refused; and its refusals as (line, code)
    tallies: dict[str, Counter[str]] = field(default_factory=dict)
    refusals: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


def generate(*, today: date, into: Path, seed: int = 20260101, elders: int = ELDERS) -> Sample:
    """This function will write a town's files below `into`, as they stand on `today`.

    The same arguments give the same bytes. `elders` also sets how much happens: visits are in proportion.
    Writes city/ and news-*/ (for load_city), redemptions-*.csv, reversals-*.csv and steps.txt; bank files
    are written when the statements that they pay are known (see bank.py).
    """
    maker = _Maker(Calendar(today), seed=seed, elders=elders, into=into)
    sample = maker.make()
    (into / "steps.txt").write_text("\n".join(sample.steps) + "\n", encoding="utf-8")
    return sample


class _Maker:
    def __init__(self, calendar: Calendar, *, seed: int, elders: int, into: Path):
        self.calendar, self.into = calendar, into
        self.town = Town(calendar, seed=seed, elders=elders)
        self.wallets = Wallets(self.town)
        self.rng = random.Random(f"{seed}:days")
        self.planner = DayPlanner(self.town, self.wallets, self.rng, pace=elders / ELDERS)
        self.sample = Sample(calendar, self.town, [])
        self.number: Counter[date] = Counter()
        self.deaths = self._plan_deaths()
        self.known_deaths: set[str] = set()
        self.announced: list[tuple[str, str]] = []  # (news directory, elder) of deaths learnt late
        self.late: list[Visit] = []  # paper lists that are handed in with the next file
        self.reversals: list[tuple[str, str]] = []  # (reversed_at, key), all months
        self.never_reversed: set[str] = set()
        self.accepted: list[Visit] = []

    def make(self) -> Sample:
        for name, rows in self.town.files().items():
            self._write(f"city/{name}", rows)
        steps = self.sample.steps
        steps += ["load_city city", "demo_users"]
        first = self.calendar.start
        quarter = min(p.starts_on for p in self.town.programmes)
        if quarter < first:
            self._issue(quarter)
        for offset, month in zip((-3, -2, -1, 0), self.calendar.months, strict=True):
            self._issue(month)
            self._play_month(offset, month)
            if offset == 0:
                break
            expires_on = add_months(month, 1) + timedelta(days=3)
            if expires_on <= self.calendar.today:
                steps.append(f"expire_vouchers --on {expires_on}")
                self.wallets.expire(expires_on)
            steps.append(f"close_month {label(month)}")
            if offset < -1:
                steps.append(f"settle_month {label(month)}")
            else:
                self._half_approved(month)
            if offset > -3:
                steps.append(f"payouts {label(add_months(month, -1))}")
        steps += ["demo_families", "furnish", "orders", "visits", "demo_homes", "reminders", "seal_entries"]
        return self.sample

    # One month ---------------------------------------------------------------------------------------

    def _issue(self, on: date) -> None:
        self.sample.steps.append(f"issue_vouchers --on {on}")
        self.wallets.issue(on)

    def _play_month(self, offset: int, month: date) -> None:
        steps, name = self.sample.steps, label(month)
        halves = self.calendar.halves(month)
        for suffix, start, end in halves:
            file = f"redemptions-{name}-{suffix}.csv"
            self._redeem(file, offset, start, end)
            steps.append(f"import_redemptions {file}")
            if suffix == halves[-1][0]:
                self._reverse(f"reversals-{name}.csv", month)
            self._news(f"news-{name}-{suffix}", offset, end)
        if offset > -3 and month <= self.calendar.yesterday:
            steps.append(f"receipts {name}")

    def _redeem(self, file: str, offset: int, start: date, end: date) -> None:
        """Make up the visits of one file, in file order, and keep the wallets along."""
        rows: list[tuple[Visit, str]] = []
        for visit in self.late:
            rows.append((visit, self.wallets.redeem(visit)))
        self.late = []
        day = start
        while day <= end:
            for slot in self.planner.slots(day, GROWTH[offset + 3]):
                if slot.diary.lease == SUSPENDED_LEASE and self._suspended(day):
                    continue
                key = self._key(day)
                found = self.planner.visit(slot, day, key=key, gone=self._gone(day))
                if found is None:
                    continue
                visit = found[0]
                if self.rng.random() < self._handed_in_late(slot.diary.lease, day):
                    self.late.append(replace(visit, channel="paper"))
                    continue
                rows.append((visit, self.wallets.redeem(visit)))
                self._perhaps_reverse(visit)
            self._learn_late(offset, day, rows)
            day += timedelta(days=1)
        rows += [(visit, self.wallets.redeem(visit)) for visit in self._mistakes(rows, end)]
        self.accepted += [visit for visit, outcome in rows if outcome == "accepted"]
        self._write(file, [visit.row() for visit, _ in rows])
        outcomes = [outcome for _, outcome in rows]
        self.sample.tallies[file] = Counter(
            outcome if outcome in ("accepted", "repeated") else "refused" for outcome in outcomes
        )
        self.sample.refusals[file] = [
            (line, outcome)
            for line, outcome in enumerate(outcomes, start=2)
            if outcome not in ("accepted", "repeated")
        ]

    def _mistakes(self, rows: list[tuple[Visit, str]], end: date) -> list[Visit]:
        """What also stands in real files: sent twice, eaten twice, mistyped, gone, or not spendable.

        A handful in each file, at its end (a terminal that had been without a network).
        """
        rng = self.rng
        accepted = [v for v, outcome in rows if outcome == "accepted" and v.day == end]
        meals = [v for v in accepted if v.service == "SV01"]
        if not meals:
            return []

        def again(visit: Visit, **changed) -> Visit:
            return Visit(**{**vars(visit), "key": self._key(end), **changed})

        wrong = rng.sample(accepted, k=min(3, len(accepted)))  # the very same row again
        for visit in rng.sample(meals, k=min(3, len(meals))):
            wrong.append(again(visit))  # a second lunch: daily_limit
        one = rng.choice(meals)
        wrong.append(again(one, elder=f"EL9{rng.randrange(10000):04d}"))  # unknown_reference
        wrong.append(again(rng.choice(meals), premises="PR020"))  # no_lease
        wrong.append(again(rng.choice(meals), service="SV12"))  # service_not_offered
        penniless = [e for e in self.town.elders if not any(v.left for v in self.wallets.vouchers[e.code])]
        for elder in rng.sample(penniless, k=min(2, len(penniless))):  # nothing_spendable
            wrong.append(again(one, elder=elder.code, service="SV03"))
        for code in sorted(self.known_deaths)[-1:]:
            wrong.append(again(one, elder=code))  # elder_deceased
        if self._suspended(end):
            for elder in rng.sample(self.town.elders, k=2):  # operator_suspended
                wrong.append(again(one, elder=elder.code, premises="PR013", service="SV09"))
        return wrong

    def _perhaps_reverse(self, visit: Visit) -> None:
        if self.rng.random() >= 0.007:
            return
        after = self.rng.choice((0, 1, 1, 2, 3, 6, 16, 24, 31))
        on = visit.day + timedelta(days=after)
        if on <= self.calendar.yesterday:
            self.reversals.append(
                (f"{on}T{self.rng.randint(19, 20)}:{self.rng.randint(10, 59)}:00+08:00", visit.key)
            )

    def _reverse(self, file: str, month: date) -> None:
        rows = []
        for at, key in sorted(self.reversals):
            if at[:7] == label(month) and key in self.wallets.spendings and key not in self.never_reversed:
                self.wallets.reverse(key, date.fromisoformat(at[:10]))
                self.never_reversed.add(key)
                rows.append({"key": key, "reversed_at": at, "reason": self.rng.choice(REASONS)})
        if rows:
            self._write(file, rows)
            self.sample.steps.append(f"import_reversals {file}")
            self.sample.tallies[file] = Counter(accepted=len(rows))

    def _half_approved(self, month: date) -> None:
        """The third month: some statements on their way, one of them changed behind a confirmation."""
        steps, name = self.sample.steps, label(month)
        steps += [f"confirm {name} {lease}" for lease in (*CONFIRMED, *REVIEWED)]
        steps += [f"review {name} {lease}" for lease in REVIEWED]
        premises = self.town.lease_by_code[CHANGED].premises
        found = [
            v for v in self.accepted
            if v.premises == premises and v.day >= month and v.key not in self.never_reversed
            and any(p.programme.lease == CHANGED for p, _ in self.wallets.spendings[v.key].lines)
        ]  # fmt: skip
        if found:
            visit, file = self.rng.choice(found), f"reversals-{name}-objection.csv"
            at = f"{self.calendar.yesterday}T21:30:00+08:00"
            self.wallets.reverse(visit.key, self.calendar.yesterday)
            self.never_reversed.add(visit.key)
            self._write(file, [{"key": visit.key, "reversed_at": at, "reason": "机构复核：这一单记错了老人"}])
            steps.append(f"import_reversals {file}")
            self.sample.tallies[file] = Counter(accepted=1)

    # News --------------------------------------------------------------------------------------------

    def _plan_deaths(self) -> dict[str, date]:
        """About five deaths a month, the old first, spread over the days up to yesterday."""
        old = [elder for elder in self.town.elders if elder.age_on(self.calendar.start) >= 74]
        days = (self.calendar.yesterday - self.calendar.start).days + 1
        number = max(3, round(len(self.town.elders) / 3000 * days / 6))
        dying = self.rng.sample(old, k=min(number, len(old) // 4))
        return {e.code: self.calendar.start + timedelta(days=self.rng.randrange(days)) for e in dying}

    def _handed_in_late(self, lease: str, day: date) -> float:
        """How likely a visit is written on paper and told only with the next file.

        Mostly where vouchers outlive the month, at its end: these are the late figures of statements.
        """
        if lease in LATE_AT_MONTH_END and (add_months(day, 1) - day).days <= 4:
            return 0.15
        return 0.0015

    def _learn_late(self, offset: int, day: date, rows: list[tuple[Visit, str]]) -> None:
        """Twice, a dead elder's card goes on being used for a day or two before anybody says so.

        The first is learnt of when the month's statement is approved already, the second before.
        """
        late = {(-2, 27): "news-{0}-a", (-1, 21): "news-{0}-b"}.get((offset, day.day))
        if late is None:
            return
        lunches = [
            visit for visit, outcome in rows
            if outcome == "accepted" and visit.day == day and visit.elder not in self.deaths
            and any(v.programme.settlement == "offset" for v, _ in self.wallets.spendings[visit.key].lines)
        ]  # fmt: skip
        for visit in self.rng.sample(lunches, k=min(2, len(lunches))):
            self.deaths[visit.elder] = day - timedelta(days=1)
            self.announced.append((late.format(label(self.calendar.month(-1))), visit.elder))
            for other, _ in rows:
                if other.elder == visit.elder:
                    self.never_reversed.add(other.key)

    def _news(self, name: str, offset: int, end: date) -> None:
        """What the register learns with a file: deaths, a suspension, a new safety check."""
        waiting = {elder for directory, elder in self.announced if directory != name}
        dead: list[Elder] = []
        for elder in self.town.elders:
            died_on = self.deaths.get(elder.code)
            if died_on is None or died_on > end or elder.code in self.known_deaths:
                continue
            if elder.code in waiting:
                continue
            elder.died_on = died_on
            dead.append(elder)
            self.known_deaths.add(elder.code)
            self.wallets.learn_of_death(elder.code, died_on)
        operators = []
        if name == f"news-{label(self.calendar.month(-2))}-b":
            operators += self._operator_news(
                RECHECKED_OPERATOR, "safety_checked_on", self.calendar.month(-2).replace(day=27)
            )
        if name == f"news-{label(self.calendar.month(-1))}-a":
            operators += self._operator_news(SUSPENDED_OPERATOR, "suspended_on", self._suspension)
            self.wallets.learn_of_suspension(SUSPENDED_OPERATOR, self._suspension)
        if dead:
            self._write(f"{name}/elders.csv", [elder.row(known_death=True) for elder in dead])
        if operators:
            self._write(f"{name}/operators.csv", operators)
        if dead or operators:
            self.sample.steps.append(f"load_city {name}")

    def _operator_news(self, code: str, column: str, on: date) -> list[dict[str, str]]:
        return [{**row, column: str(on)} for row in self.town.operator_rows() if row["code"] == code]

    # Small things ------------------------------------------------------------------------------------

    @property
    def _suspension(self) -> date:
        return self.calendar.month(-1).replace(day=20)

    def _suspended(self, day: date) -> bool:
        return day >= self._suspension

    def _gone(self, day: date) -> set[str]:
        return {elder for elder, died_on in self.deaths.items() if died_on <= day}

    def _key(self, day: date) -> str:
        self.number[day.replace(day=1)] += 1
        return f"S{day:%y%m}{self.number[day.replace(day=1)]:05d}"

    def _write(self, name: str, rows: Iterable[dict[str, str]]) -> None:
        path = self.into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = list(rows)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(
                file, fieldnames=list(rows[0]) if rows else list(VISIT_COLUMNS), lineterminator="\n"
            )
            writer.writeheader()
            writer.writerows(rows)


VISIT_COLUMNS = ("key", "happened_at", "premises", "service", "elder", "quantity", "channel")
