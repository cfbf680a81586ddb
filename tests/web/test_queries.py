"""Lists ask the same number of questions at 20 rows and at 2,000 (strength.md 19).

Every page is asked, and every file that a page offers of its list: which of them are lists is read from the code, not
written down here.
"""

import ast
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.paginator import Page
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import marketplace.web
from marketplace.web.lists import Onwards
from tests import databases
from tests.web.addresses import FILES, PAGES, address, all_pages, arguments, visitor
from tests.web.builder import City, build
from tests.web.conftest import signing_in
from tests.web.rows import FIRST, multiply

WEB = Path(marketplace.web.__file__).parent
PAGERS = {"Listing", "List", "Paginator", "Onwards", "register_page"}
ROW = re.compile(rb"<(?:tr|li)\b")
MOST = 400
"""So many rows and items stand on no page, its headings and the ways to elsewhere among them."""
WHOLE = {
    "bureau:reminders": "each letter to be sent has its tick, and all of them are sent at once",
    "office:work": "a day's work of one operator, at most 300 of a group",
    "office:rounds": "a day's rounds, to be printed",
    "steps": "each statement that waits for this person has its tick, and all of them are sent at once",
}
"""Pages that show all there is at once, and why."""


MOST_ASKED = 19
"""The overview's, which asks for refunds, objections, leases without a statement and the nightly proofs too; lists ask at
most twelve."""
MANY_ASKED = {"bureau:rule": 20}
"""Pages of one object that gather more than a list does."""
ELSEWHERE = {
    "sign_in": 302,
    "market:change": 302,
    "market:days": 404,
    "market:when": 404,
    "market:where": 404,
    "visits:photo": 404,
}
"""Pages that lead on, or are not there before a step that nobody has taken here."""


@dataclass
class Measured:
    """What each page asks of the database, how it answers, how many rows it shows; where pages of lists are cut."""

    queries: dict[str, int] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    full: set[tuple[str, int]] = field(default_factory=set)


def _pages(city: City) -> dict[str, tuple[str, str]]:
    """Every page by a name: who looks at it, and its address."""
    arguments("home", city)
    city.arguments |= {
        "office:order": [1],
        "visits:visit": [1],
        "hotline:visit": [FIRST + 4],
        "market:order": ["100001"],
        "market:days": ["100001", 1],
        "market:change": ["100001", 1],
    }
    found = {name: (visitor(name), url) for name, url in all_pages(city).items() if name != "missing"}
    for name, page in PAGES.items():
        if page.elder and page.method == "get" and name not in FILES:
            found[name] = (visitor(name), address(name, city))
    run = city.redemptions[0].movements.get().voucher.run_id
    found["issue run"] = ("clerk", reverse("issue_run", args=[run]))
    found["bank lines"] = ("clerk", f"{reverse('bureau:receipts')}?show=all")
    found["journal of an account"] = (
        "clerk",
        f"{reverse('journal')}?account=Equity:Vouchers:PG0000:Redeemed",
    )
    found["meals near"] = ("elder", f"{reverse('market:browse')}?kind=canteen")
    return found


@contextmanager
def _watched(measured: Measured) -> Iterator[None]:
    """Notes from where in marketplace/web a page is cut out of a list that has more."""

    def note(goes_on: bool) -> None:
        if not goes_on:
            return
        frame = sys._getframe(2)
        while frame:
            if frame.f_code.co_filename.startswith(str(WEB)):
                measured.full.add((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back

    page, onwards = Page.__init__, Onwards.__init__

    def cut(self: Page, rows: Any, number: int, paginator: Any) -> None:
        page(self, rows, number, paginator)
        note(paginator.num_pages > 1)

    def cut_on(self: Onwards, *args: Any) -> None:
        onwards(self, *args)
        note(self.goes_on)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Page, "__init__", cut)
        patch.setattr(Onwards, "__init__", cut_on)
        yield


def _rows(response: Any) -> int:
    """The rows and items that a page shows."""
    return 0 if response.streaming else len(ROW.findall(response.content))


def _ask(client: Client, url: str) -> tuple[int, Any]:
    with CaptureQueriesContext(connection) as asked:
        response = client.get(url)
        if response.streaming:
            b"".join(response.streaming_content)
    return len(asked), response


def _measure(city: City, only: Collection[str] | None = None) -> Measured:
    measured = Measured()

    @cache
    def as_(person: str) -> Client:
        client = signing_in(city)(person)
        client.get(reverse("keys"))  # session and language once
        return client

    with _watched(measured):
        for name, (person, url) in _pages(city).items():
            if only is not None and name not in only:
                continue
            client = as_(person)
            measured.queries[name], response = _ask(client, url)
            measured.status[name] = response.status_code
            measured.rows[name] = _rows(response)
            if not response.streaming and b"format=csv" in response.content:
                file = f"{url}{'&' if '?' in url else '?'}format=csv"
                measured.queries[f"{name} as csv"], _file = _ask(client, file)
    return measured


@contextmanager
def _city(template: str, rows: int, **size: int) -> Iterator[City]:
    """On a database of its own, whose statistics are as fresh as autovacuum keeps them."""
    name = databases.clone(template)
    try:
        with databases.pointed_at(name):
            city = build(served=1, leases=rows, meals=rows, **size)
            multiply(city, name, rows)
            with databases.superuser(name) as superuser:
                superuser.execute("ANALYZE")
            yield city
    finally:
        databases.drop(name)


PLANTED = "reports:seals"


@dataclass
class Both:
    few: Measured
    many: Measured
    planted: tuple[int, int]


@pytest.fixture(scope="module")
def both(database_template: str, django_db_blocker) -> Both:
    """The city at 20 and at 2,000 rows; and what the seal log asks at each when nothing is joined to its rows."""
    with django_db_blocker.unblock(), _city(database_template, 20, bank_lines=7) as small:
        few = _measure(small)
        with _city(database_template, 2000, bank_lines=700) as large:
            many = _measure(large)
            # What is asked for once (a code that is made, a look that is noted) is left out: asked again, it is gone.
            again = {
                name.removesuffix(" as csv")
                for name, asked in few.queries.items()
                if asked != many.queries.get(name) or asked > MOST_ASKED
            }
            many.queries |= _measure(large, again).queries
            at_2000 = _without_joins(large)
        few.queries |= _measure(small, again).queries
        return Both(few, many, (_without_joins(small), at_2000))


def _without_joins(city: City) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuerySet, "select_related", lambda self, *fields: self)
        return _measure(city, [PLANTED]).queries[PLANTED]


def test_20_and_2000_rows_take_the_same_number_of_queries(both):
    few, many = both.few.queries, both.many.queries
    assert {name: (few[name], many.get(name)) for name in few if few[name] != many.get(name)} == {}
    assert few.keys() == many.keys()
    assert {name: asked for name, asked in few.items() if asked > MANY_ASKED.get(name, MOST_ASKED)} == {}


def test_a_join_left_out_is_seen(both):
    at_20, at_2000 = both.planted
    assert at_2000 > at_20 > both.few.queries[PLANTED]


def test_every_page_opens(both):
    """But those that need a step before (a basket that is filled), or lead on."""
    assert both.few.status == both.many.status
    assert {name: code for name, code in both.many.status.items() if code != 200} == ELSEWHERE


def _cut_in(path: Path) -> list[tuple[str, int, int]]:
    """The places of a file where rows are cut into pages."""
    return [
        (str(path), node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PAGERS
    ]


def _never_full(full: set[tuple[str, int]]) -> set[str]:
    return {
        f"{Path(path).relative_to(WEB)}:{first}"
        for source in WEB.rglob("*.py")
        for path, first, last in _cut_in(source)
        if source.name != "lists.py"
        and not any(path == where and first <= line <= last for where, line in full)
    }


def test_every_list_had_more_rows_than_a_page(both):
    assert _never_full(both.many.full) == set()


def test_a_list_that_was_never_full_is_named(both):
    others = {(path, line) for path, line in both.many.full if not path.endswith("/reports/seals.py")}
    assert {name.partition(":")[0] for name in _never_full(others)} == {"reports/seals.py"}


def test_no_page_shows_a_list_whole(both):
    rows = {name: rows for name, rows in both.many.rows.items() if rows > MOST}
    assert {name: rows[name] for name in rows.keys() - WHOLE.keys()} == {}
    assert WHOLE.keys() <= rows.keys()


def test_a_page_of_one_object_asks_little(db):
    city = build(leases=4, meals=5)
    redemption, client = city.redemptions[0], signing_in(city)("clerk")

    def count(url: str) -> int:
        client.get(url)  # session and language once
        return _ask(client, url)[0]

    assert count(reverse("redemption", args=[redemption.number])) <= 20  # the whole way
    assert count(reverse("statement", args=[city.leases[0].code, city.month])) <= 10
    assert count(reverse("voucher", args=[redemption.movements.get().voucher.serial])) <= 10
    assert count(reverse("entry", args=[redemption.entry_id])) <= 13
