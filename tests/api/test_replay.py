"""A city told through HTTP, by a partner that may tell of past days, comes to the same figures as by files; and by
the commands alone, without anything from outside this repository.

REPLAY_CITY names another city for the long one: a folder with steps, files and expected figures like lakeside's.
"""

import csv
import io
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import call_command
from django.utils import timezone

from ledger.files import kinds
from ledger.journal.queries import balances
from marketplace.accounts.models import Role
from providers.models import Operator
from tests import databases
from tests.api.ground import Counter
from vouchers.codes.operations import elder_token
from vouchers.models import Elder, Redemption
from vouchers.settlement.models import Statement
from vouchers.terminals.operations import add_partner

LAKESIDE = Path(__file__).parents[1] / "cities" / "lakeside"
PEOPLE = {
    "confirmed-by": ("replay-clerk", Role.BUREAU_CLERK),
    "reviewed-by": ("replay-street", Role.STREET_OFFICER),
    "approved-by": ("replay-approver", Role.BUREAU_APPROVER),
}
FIRST_STEPS = 4  # two days of issue and December's file


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def steps(city: Path = LAKESIDE) -> list[list[str]]:
    lines = (city / "steps.txt").read_text().splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


class Replay:
    """`told` by "http" or "files"; the rest by the commands."""

    def __init__(self, told: str, folder: Path, city: Path = LAKESIDE) -> None:
        self.told, self.folder, self.city = told, folder, city
        self.numbers: dict[str, str] = {}
        self.refusals: list[tuple[str, int, str]] = []
        self.statements: dict[str, dict[str, dict[str, str]]] = {}
        self.balances: dict[str, dict[str, Decimal]] = {}
        self._counter: Counter | None = None
        for name, role in PEOPLE.values():
            call_command("create_user", name, role=role, stdout=io.StringIO())

    def play(self, some: list[list[str]]) -> "Replay":
        for word, *rest in some:
            if word == "import_redemptions" and self.told == "http":
                self.tell(rest[0])
            elif word.startswith("import_"):
                self.import_file(word, rest[0])
            elif word == "settle_month":
                people = {f"{what.replace('-', '_')}": name for what, (name, _role) in PEOPLE.items()}
                self.say(word, rest[0], **people)
                month = rest[0]
                self.statements[month] = self.statements_of(month)
                self.balances[month] = balances()
            elif word == "load_city":
                self.say(word, str(self.city / rest[0]))
            else:
                self.say(word, *(self.numbers.get(part, part) for part in rest))
        return self

    def say(self, *words: str, **options: str) -> str:
        out = io.StringIO()
        call_command(*words, **options, stdout=out)
        return out.getvalue()

    @property
    def counter(self) -> Counter:
        if self._counter is None:
            everybody = list(Operator.objects.all())
            _partner, token = add_partner(
                name="重放", operators=everybody, may_tell_past=True, by="test", at=timezone.now()
            )
            self._counter = Counter(token)
        return self._counter

    def tell(self, name: str) -> None:
        elders = {elder.code: elder for elder in Elder.objects.all()}
        for line, row in enumerate(rows(self.city / name), 2):
            then = kinds.INSTANT.parse(row["happened_at"])
            elder = elders.get(row["elder"])
            shown = (
                {"token": elder_token(elder=elder, at=then)} if elder else {"code": row["elder"], "pin": "1"}
            )
            body = {
                "premises": row["premises"],
                "service": row["service"],
                "quantity": int(row["quantity"]),
                "elder": shown,
                "happened_at": row["happened_at"],
            } | ({"channel": row["channel"]} if row["channel"] else {})
            answer = self.counter.post("redemptions", body, key=row["key"])
            if answer.status_code in (200, 201):
                self.numbers[row["key"]] = answer.json()["number"]
            else:
                self.refusals.append((name, line, answer.json()["code"]))

    def import_file(self, word: str, name: str) -> None:
        told = rows(self.city / name)
        for row in told:
            row["key"] = self.numbers.get(row["key"], row["key"])
        path = self.folder / name
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, told[0].keys())
            writer.writeheader()
            writer.writerows(told)
        for line, code in re.findall(r":(\d+): (\w+)\s*$", self.say(word, str(path)), re.MULTILINE):
            self.refusals.append((name, int(line), code))

    def statements_of(self, month: str) -> dict[str, dict[str, str]]:
        return {
            row["lease"]: row
            for row in csv.DictReader(self.say("statements", month, format="csv").splitlines())
        }


def expected_refusals(files: set[str], city: Path = LAKESIDE) -> list[tuple[str, int, str]]:
    told = rows(city / "expected" / "imports.csv")
    return [
        (r["file"], int(r["line"]), r["outcome"]) for r in told if r["line"] != "0" and r["file"] in files
    ]


def facts() -> list[tuple]:
    names = (
        "service_on", "lease__code", "service__code", "elder__code", "quantity", "list_price", "government",
        "concession", "charity", "vouchers", "self_pay", "reversed_on",
    )  # fmt: skip
    return sorted(Redemption.objects.values_list("key", *names), key=lambda row: row[0])


class December(NamedTuple):
    replay: Replay
    facts: list[tuple]
    balances: dict[str, Decimal]


@pytest.fixture(scope="module")
def by_files(database_template, django_db_blocker, tmp_path_factory) -> Iterator[tuple[str, December]]:
    """A database in which December was told by its file, and what stands there."""
    name = databases.clone(database_template)
    with django_db_blocker.unblock():
        with databases.pointed_at(name):
            replay = Replay("files", tmp_path_factory.mktemp("files")).play(steps()[:FIRST_STEPS])
            december = December(replay, facts(), balances())
        yield name, december
    databases.drop(name)


def test_december_told_by_http_is_december_told_by_a_file(by_files, fresh_db, tmp_path):
    _name, told = by_files
    replay = Replay("http", tmp_path).play(steps()[:FIRST_STEPS])
    assert replay.refusals == told.replay.refusals == expected_refusals({"redemptions-2025-12.csv"})
    assert (facts(), balances()) == (told.facts, told.balances)
    assert len(told.facts) > 200  # control: something was told


def test_the_first_month_by_commands_comes_to_the_expected_figures(by_files, django_db_blocker):
    name, december = by_files
    played = steps()[: steps().index(["settle_month", "2026-01"]) + 1]
    with django_db_blocker.unblock(), databases.pointed_at(name):
        replay = december.replay.play(played[FIRST_STEPS:])
        as_expected(replay, played)
        call_command("verify_ledger", stdout=io.StringIO())
    assert list(replay.statements) == ["2026-01"] and len(replay.refusals) > 20
    # The control: another figure, and it is told.
    next(iter(replay.statements["2026-01"].values()))["cash_due"] += "1"
    with pytest.raises(AssertionError, match="cash_due"):
        as_expected(replay, played)


@pytest.mark.long
def test_the_whole_city_through_http_comes_to_the_expected_figures(fresh_db, tmp_path):
    city = Path(os.environ.get("REPLAY_CITY", LAKESIDE))
    replay = Replay("http", tmp_path, city).play(steps(city))
    assert not Redemption.objects.filter(key_scope="files").exists()
    as_expected(replay, steps(city))
    assert len(replay.statements) == len(list((city / "expected").glob("statements-*.csv"))) > 2
    call_command("verify_ledger", stdout=io.StringIO())


def as_expected(replay: Replay, played: list[list[str]]) -> None:
    """Every refusal, every figure of every statement and every balance of the months that were settled."""
    expected = replay.city / "expected"
    files = {line[1] for line in played if line[0].startswith("import_")}
    assert replay.refusals == expected_refusals(files, replay.city)
    for month, found in replay.statements.items():
        want = {row["lease"]: row for row in rows(expected / f"statements-{month}.csv")}
        assert set(found) == set(want)
        for lease, row in want.items():
            for figure in (*Statement.FIGURES, "redemptions", "under_review"):
                assert Decimal(found[lease][figure]) == Decimal(row[figure]), (month, lease, figure)
        assert replay.balances[month] == balances_of(expected / f"balances-{month}.csv"), month


def balances_of(path: Path) -> dict[str, Decimal]:
    return {row["account"]: Decimal(row["balance"]) for row in rows(path) if Decimal(row["balance"])}


@pytest.mark.long
def test_the_whole_city_by_commands_comes_to_the_expected_figures(fresh_db, tmp_path):
    """And its bank files, and the books that come of all of it."""
    replay = Replay("files", tmp_path).play(steps())
    as_expected(replay, steps())
    assert len(replay.statements) == 4
    for row in rows(LAKESIDE / "expected" / "bank.csv"):
        said = replay.say("import_bank", str(LAKESIDE / row["file"]), format="icbc")
        for word in ("new", "repeated", "matched", "proposed", "unmatched"):
            assert re.search(rf"{word} (\d+)", said)[1] == row[word], (row["file"], word)
    assert balances() == balances_of(LAKESIDE / "expected" / "balances-bank.csv")
    call_command("verify_ledger", stdout=io.StringIO())
    call_command("check_books", str(tmp_path / "books"), "--export", stdout=io.StringIO())
