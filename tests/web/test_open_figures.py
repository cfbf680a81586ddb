"""Every figure opens the lines that make it (experience.md, check 13): an amount on a page is a link, or it is one
of the few whose lines stand beside it."""

import re
from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from types import SimpleNamespace

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.overview.operations import take_snapshot
from marketplace.overview.queries import Places
from marketplace.web import opened
from tests import payments, story
from tests.handed_out import rows_of_csv
from tests.story import JANUARY, MARCH
from tests.web.conftest import Page
from vouchers.funds.operations import fund_balance, uses

AMOUNT = re.compile(r"[+−-]?\d{1,3}(,\d{3})*\.\d\d")
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "use", "rect", "path", "circle", "line"}

ITSELF = "it is this line itself, whose page the row's head opens"
BESIDE = "its parts stand in the same list, each with its own link"
GIVEN = "it was entered so, in the terms or by the person named there"
# By page and what the amount is called there; a page that is named is walked.
WITHOUT_A_LINK: dict[str, dict[str, str]] = {
    **{
        name: {}
        for name in (
            "bureau:overview", "bureau:months", "bureau:month", "month:locked", "bureau:compare", "bureau:reach",
            "bureau:arrears", "statements", "statement", "statement:posted", "reports:report", "payments:payouts",
            "payments:handovers",
        )
    },
    "bureau:receipts": {"Amount": ITSELF},
    "payments:payout": {"Amount": ITSELF},
    "payments:refunds": {"Amount": GIVEN},
    "payments:fund": {"Amount": ITSELF, "Budget": GIVEN, "Left": BESIDE},
    "payments:handover": {"Sum": BESIDE},
    "redemptions": {"Government part": ITSELF, "Charity part": ITSELF, "Voucher value": ITSELF},
    "vouchers": {"Issued": ITSELF, "Redeemed": ITSELF, "Left": ITSELF, "Expired or voided": ITSELF},
    "journal": {"Amount in yuan": ITSELF},
    "lines:credit": {"Voucher value": ITSELF, "= Earns": ITSELF, "": BESIDE},  # the sentence of their sum
    "lines:charge": {"Monthly rent": GIVEN, "Rent charged": BESIDE},
    "lines:cap": {"Cap": BESIDE},
    "lines:cash_due": {"Cash due": BESIDE, "Still to come": BESIDE},
    "lines:carry_in": {"Carried in": BESIDE},
    "lines:available": {"Available": BESIDE},
    "lines:applied": {"Offset": BESIDE},
    "lines:carry_out": {"Carried on": BESIDE},
}  # fmt: skip


class Amounts(HTMLParser):
    """The amounts on a page: (what it is called there, the amount, whether it is a link)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, bool]] = []
        self._open: list[SimpleNamespace] = []
        self._called = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        if tag not in VOID:
            told = dict(attrs)
            if tag == "main":
                self._called = ""
            self._open.append(
                SimpleNamespace(
                    tag=tag, name=told.get("data-name"), classes=(told.get("class") or "").split()
                )
            )

    def handle_endtag(self, tag) -> None:
        while tag not in VOID and self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data) -> None:
        text = data.strip()
        if not text or any(one.tag in ("script", "option", "button") for one in self._open):
            return
        last = self._open[-1]
        if last.tag == "dt" or {"what", "name"} & set(last.classes):
            self._called = text
        if AMOUNT.fullmatch(text):
            called = next((one.name for one in reversed(self._open) if one.name), self._called)
            self.found.append((called, text, any(one.tag == "a" for one in self._open)))


def dead(text: str) -> set[str]:
    """What the amounts that open nothing are called; one of zero has no lines."""
    return {
        called for called, amount, linked in Amounts(text).found if not linked and re.search("[1-9]", amount)
    }


def test_every_amount_opens_its_lines(read: Callable[[str], dict[str, Page]]):
    pages = read("en")
    wrong = [
        f"{name}: {called}"
        for name, known in WITHOUT_A_LINK.items()
        for called in sorted(dead(pages[name].text) - set(known))
    ]
    assert not wrong, "amounts that open nothing:\n" + "\n".join(wrong)


def test_control_an_amount_without_a_link_is_found():
    row = '<td data-name="Offset">{}</td><li><span class="what">Cap</span><b>12.00</b></li>'
    assert dead(row.format('<a href="/x/">1,234.50</a>')) == {"Cap"}
    assert dead(row.format("1,234.50")) == {"Offset", "Cap"}
    assert dead(row.format("0.00")) == {"Cap"}


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def total(answer, *columns: str) -> Decimal:
    """The sum of these columns of a list, as its file has it."""
    return sum((Decimal(row[name]) for row in rows_of_csv(answer) for name in columns), Decimal(0))


def test_what_a_figure_opens_adds_up_to_it(story_db):
    payments.tell()
    take_snapshot(today=timezone.localdate(), at=timezone.now())
    clerk, user = client("clerk"), story.user_named("clerk")

    def opens(kind: str, *which, **rest) -> str:
        address = opened.OPENED[kind](user, *which, **rest).partition("#")[0]
        return f"{address}{'&' if '?' in address else '?'}format=csv"

    report = clerk.get(reverse("reports:report", args=[JANUARY])).context["report"]
    for code, _name, n, value in report.services:
        rows = clerk.get(opens("redemptions", JANUARY, story.day("2026-01-31"), service=code))
        assert total(rows, "Voucher value") == value and n > 0, code
    for kind, value in report.value.items():
        lines = rows_of_csv(clerk.get(opens("journal", f"Equity:Vouchers:*:{kind}", JANUARY)))
        side = {True: Decimal(0), False: Decimal(0)}
        for line in lines:
            side[line["Debited"].endswith(kind)] += Decimal(line["Amount in yuan"])
        assert abs(side[True] - side[False]) == value, kind
    for figure in ("charge", "applied", "cash_due", "credit"):
        rows = rows_of_csv(clerk.get(opens("month", JANUARY, figure)))
        heading = {"charge": "Rent charged", "applied": "Offset", "cash_due": "Cash due", "credit": "Credit"}[
            figure
        ]
        assert sum(Decimal(row[heading]) for row in rows) == report.sums[figure], figure
    march = clerk.get(reverse("reports:report", args=[MARCH])).context["report"]
    assert total(clerk.get(opens("cash", MARCH)), "Amount") == march.sums["received"] > 0
    for one in march.places:
        assert total(clerk.get(opens("cash", MARCH, one.lease.code)), "Amount") == one.received

    fund = rows_of_csv(clerk.get(opens("journal", "Liabilities:Fund:Charity")))
    side = {True: Decimal(0), False: Decimal(0)}
    for line in fund:
        side[line["Credited"] == "Liabilities:Fund:Charity"] += Decimal(line["Amount in yuan"])
    assert side[True] - side[False] == fund_balance()
    [use] = uses()
    used = opens("redemptions", use.budget.starts_on, use.budget.ends_on, part="charity")
    assert total(clerk.get(used), "Charity part") == use.used > 0

    overview = clerk.get(reverse("bureau:overview"))
    assert not dead(overview.content.decode())
    columns = {"issued": "Issued", "redeemed": "Redeemed", "left": "Left", "lost": "Expired or voided"}
    for row in overview.context["programmes"]:
        for name, column in columns.items():
            wanted = row["expired"] + row["voided"] if name == "lost" else row[name]
            found = total(
                clerk.get(opens("vouchers", "" if name == "issued" else name, programme=row["code"])), column
            )
            assert found == wanted, (row["code"], name)
    east = story.user_named("officer-east")
    reach = client("officer-east").get(reverse("bureau:reach"))
    assert not dead(reach.content.decode()) and reach.context["sum"]["lost"] > 0
    whole = Places(overview.context["snapshot"]).under(east.division)
    for name, column in columns.items():
        where = opens("vouchers", "" if name == "issued" else name, division=east.division.code)
        assert (
            total(client("officer-east").get(where), column) == whole[name] == total(clerk.get(where), column)
        ), name
    assert client("officer-east").get(reverse("journal")).status_code == 403
    street = client("officer-east").get(reverse("bureau:overview")).content.decode()
    assert dead(street) <= {"Cash received"}  # bank lines are no part of a street's desk
    owed = client("officer-east").get(reverse("bureau:arrears"))
    assert {lease.code for lease, *_rest in owed.context["rows"]} <= {"LS01", "LS03"}

    for code, month in (("LS01", JANUARY), ("LS01", MARCH), ("LS02", JANUARY), ("LS03", JANUARY)):
        statement = story.statement(code, month)
        for figure in ("available", "applied", "carry_in", "carry_out", "lapsed"):
            lots = clerk.get(reverse("lines", args=[code, month, figure])).context["lots"]
            assert sum(lot.left for lot in lots) == getattr(statement, figure), (code, month, figure)
        cash = clerk.get(reverse("lines", args=[code, month, "cash_due"])).context
        paid = sum(one.amount for one, _href in cash["paid"])
        assert paid + cash["left"] == statement.cash_due
