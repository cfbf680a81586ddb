"""A whole city's months from the pages alone: four people of four roles, real Chromium, the expected figures.

Every step of the city's steps.txt has its page here: load, issue, import, reverse, expire, close, decide, correct,
approve, bank. CITY=DIR plays another city of the same layout (steps.txt, its files, expected/).
"""

import csv
import io
import os
import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone, translation
from playwright.sync_api import Page, expect

from ledger.journal.queries import balances, is_locked
from marketplace.accounts.operations import create_user
from marketplace.web.work.words import COUNTS
from providers.models import Operator
from tests.journeys.test_month_from_pages import address, chromium, run, someone, take_the_step
from tests.small_city import day
from tests.web.builder import PASSWORD
from vouchers.models import Redemption, Statement
from vouchers.proof.queries import prove

__all__ = ["address", "chromium"]  # fixtures

HERE = Path(os.environ.get("CITY") or Path(__file__).parents[1] / "cities" / "lakeside")
MINUTES = 5 * 60_000  # milliseconds: a month's file on a slow machine


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


class Four:
    """The clerk, the manager of the first lease's operator, the street officer, the approver; each signs in once."""

    def __init__(self, sign_in: Callable[[str], Page]) -> None:
        self.sign_in = sign_in
        self.pages: dict[str, Page] = {}
        self.operator = rows(HERE / "city" / "leases.csv")[0]["operator"]
        outcomes = rows(HERE / "expected" / "imports.csv")
        self.outcomes = iter([(one["file"], int(one["line"]), one["outcome"]) for one in outcomes])
        self.did: list[str] = []

    def page(self, name: str, **what: object) -> Page:
        if name not in self.pages:
            if what:
                create_user(username=name, password=PASSWORD, by="test", at=timezone.now(), **what)  # type: ignore[arg-type]
            self.pages[name] = self.sign_in(name)
        return self.pages[name]

    @property
    def clerk(self) -> Page:
        return self.page("clerk")

    def play(self, steps: Iterator[list[str]]) -> None:
        for word, *rest in steps:
            begun = time.monotonic()
            getattr(self, word)(*rest)
            self.did.append(word)
            print(f"{time.monotonic() - begun:6.1f} s  {word} {' '.join(rest)}", flush=True)

    def load_city(self, folder: str) -> None:
        files = sorted(str(path) for path in (HERE / folder).iterdir())
        run(self.clerk, "city", files="|".join(files), patience=MINUTES)

    def issue_vouchers(self, _on: str, on: str) -> None:
        run(self.clerk, "issue", on=on, patience=MINUTES)

    def expire_vouchers(self, _on: str, on: str) -> None:
        run(self.clerk, "expire", on=on, patience=MINUTES)

    def import_redemptions(self, name: str, kind: str = "redemptions") -> None:
        """The refused lines and the sum, as the run's page shows them and hands them out."""
        run(self.clerk, kind, file=str(HERE / name), patience=MINUTES)
        expected, told = [], ""
        for file, line, outcome in self.outcomes:
            assert file == name
            if line == 0:
                told = outcome
                break
            expected.append((line, outcome))
        names = ("accepted", "repeated", "refused")
        assert [self.counts()[name] for name in names] == re.findall(r"\d+", told), name
        got = []
        if expected:
            with self.clerk.expect_download() as file:
                self.clerk.click("#job a[download] >> text=CSV")
            text = Path(file.value.path()).read_text(encoding="utf-8-sig")
            got = [(int(one[0]), one[2]) for one in list(csv.reader(io.StringIO(text)))[1:]]
        assert sorted(got) == sorted(expected), name

    def counts(self) -> dict[str, str]:
        """The figures of a run as its page shows them, by what they count."""
        figures = self.clerk.locator("#job .figure")
        shown = zip(
            figures.locator(".name").all_inner_texts(),
            figures.locator(".value").all_inner_texts(),
            strict=True,
        )
        with translation.override("zh-hans"):
            names = {str(label): name for name, label in COUNTS.items()}
        return {names[label]: value.replace(",", "") for label, value in shown}

    def import_reversals(self, name: str) -> None:
        self.import_redemptions(name, "reversals")

    def close_month(self, month: str) -> None:
        run(self.clerk, "close", month=month, patience=MINUTES)

    def decide_review(self, key: str, decision: str, _by: str, _who: str, _why: str, why: str) -> None:
        found = Redemption.objects.get(key=key)
        self.clerk.goto(f"/redemptions/{found.number}/")
        self.clerk.locator("main a[href*='/bureau/reviews/']").first.click()
        self.clerk.fill("#id_reason", f"{why}，已核实")
        self.clerk.click(f"button[value={decision}]")
        if decision == "reject":
            self.clerk.click("button[value=confirm]")
        expect(self.clerk.locator(".block.good").first).to_be_visible()

    def correct_death(self, code: str, _by: str, _who: str, _why: str, why: str) -> None:
        self.clerk.goto(reverse("registers:elder", args=[code]))
        self.clerk.fill("#id_why", why)
        self.clerk.click("button[value=correct]")
        expect(self.clerk.locator(".block.good").first).to_be_visible()

    def settle_month(self, month: str) -> None:
        """The manager confirms what is the own operator's, the clerk records the others' signed papers; the
        street reviews, the bureau approves; then every figure is compared."""
        operator = Operator.objects.get(code=self.operator)
        take_the_step(self.page("manager", role="operator_manager", operator=operator), "确认所选")
        take_the_step(self.clerk, "登记所选")
        take_the_step(self.page("officer", role="street_officer"), "复核通过所选")
        approver = self.page("approver")
        take_the_step(approver, "批准所选并入账")
        expect(approver.locator(".block.good")).to_contain_text("锁定")
        assert is_locked(day(f"{month}-01"))
        text = approver.request.get(f"/statements/?month={month}&format=csv").body().decode("utf-8-sig")
        got = {one[0]: amounts([one[0], *one[3:18]]) for one in list(csv.reader(io.StringIO(text)))[1:]}
        expected = rows(HERE / "expected" / f"statements-{month}.csv")
        assert tuple(list(expected[0])[2:14]) == Statement.FIGURES
        assert got == {one["lease"]: amounts(list(one.values())[:16]) for one in expected}
        compare(month)

    def import_bank(self, name: str, told: list[str]) -> None:
        run(self.clerk, "bank", layout="icbc", file=str(HERE / name), patience=MINUTES)
        names = ("new", "repeated", "matched", "proposed", "unmatched")
        assert [self.counts()[name] for name in names] == told, name


def amounts(cells: list[str]) -> list[str | Decimal]:
    """The same whether an amount is written 0 or 0.00."""
    return [Decimal(one) if re.fullmatch(r"-?\d+(\.\d+)?", one) else one for one in cells]


def compare(name: str) -> None:
    expected = {
        one["account"]: Decimal(one["balance"]) for one in rows(HERE / "expected" / f"balances-{name}.csv")
    }
    now = balances()
    assert {one: now.get(one, 0) for one in now.keys() | expected.keys() if now.get(one, 0)} == {
        one: amount for one, amount in expected.items() if amount
    }


@pytest.mark.long
def test_a_citys_months_from_the_pages_alone(address, chromium):
    four = Four(someone(chromium, address))
    lines = (HERE / "steps.txt").read_text(encoding="utf-8").splitlines()
    four.play(line.split() for line in lines if line and not line.startswith("#"))
    assert next(four.outcomes, None) is None
    for one in rows(HERE / "expected" / "bank.csv"):
        four.import_bank(one["file"], list(one.values())[1:])
    compare("bank")
    assert {
        "load_city",
        "issue_vouchers",
        "import_redemptions",
        "import_reversals",
        "expire_vouchers",
    } <= set(four.did)
    assert {"close_month", "settle_month"} <= set(four.did) and set(four.pages) == {
        "clerk", "manager", "officer", "approver",
    }  # fmt: skip
    assert [one.name for one in prove() if one.violations] == []
