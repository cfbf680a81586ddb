"""How often an operation asks the database: bounded, however many vouchers there are."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from ledger import wire
from tests import story
from vouchers.redemption import operations


@contextmanager
def round_trips(monkeypatch) -> Iterator[list[list[str]]]:
    """What is sent together, by each statement's first word or prepared name; words of transactions too, where
    they travel with statements."""
    sent: list[list[str]] = []
    execute, exchange = psycopg.Cursor.execute, wire._exchange

    def noted(self, query, *args, **kwargs):
        sent.append([str(query).split()[0].upper()])
        return execute(self, query, *args, **kwargs)

    def together(raw, before, commands, after):
        names = [statement.name for statement, _given in commands]
        sent.append([*(word.decode() for word in before), *names, *(word.decode() for word in after)])
        return exchange(raw, before, commands, after)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", noted)
        patch.setattr(wire, "_exchange", together)
        yield sent


def ground(vouchers: int) -> None:
    story.town()
    meal = story.service("LUNCH", "canteen", "meal")
    story.price(meal, 12, government=1)
    place = story.premises("PM09", story.elder_named("LI").division)
    lease = story.lease("LS09", place, story.operator("OP09", "湖心食堂"))
    story.offer(place, meal)
    story.programme("PX", "offset", lease, face="0.10", per_elder=vouchers)
    story.issue_on("2026-01-01")
    story.redeem("warm", "ZHANG", "LUNCH", "PM09", "2026-01-05 11:30")  # reads the terms once


@pytest.mark.parametrize("vouchers", [1, 5, 60])
def test_a_redemption_is_at_most_four_statements(fresh_db, monkeypatch, vouchers):
    ground(vouchers)
    with round_trips(monkeypatch) as sent:
        receipt = story.redeem("k", "LI", "LUNCH", "PM09", "2026-01-05 11:30")
    assert len(receipt.spent) == vouchers
    statements = [name for trip in sent for name in trip if name not in ("BEGIN", "COMMIT")]
    assert len(statements) <= 4, sent
    assert sent == [
        ["BEGIN", "redemption_lock", "redemption_read_locking"],
        ["redemption_write", "COMMIT"],
    ]


def test_a_quote_reads_and_writes_nothing(fresh_db, monkeypatch):
    ground(5)
    with round_trips(monkeypatch) as sent:
        operations.quote(order=story.order_of("k", "LI", "LUNCH", "PM09", "2026-01-05 11:30"))
    assert sent[-2:] == [["BEGIN", "redemption_find", "redemption_read"], ["ROLLBACK"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM vouchers_redemption")
        assert cursor.fetchone()[0] == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda: story.place("o", "WANG", "LUNCH", "PM09", "2026-01-06", "2026-01-05"),
        lambda: story.reverse("k", "2026-01-06"),
        lambda: story.deliver("before", "2026-01-06 11:30"),
        lambda: story.cancel("before", "2026-01-06 11:30"),
    ],
    ids=["place", "reverse", "deliver", "cancel"],
)
def test_the_others_ask_no_more_for_more_vouchers(database_template, django_db_blocker, monkeypatch, act):
    from tests import databases

    counts = []
    for vouchers in (2, 60):
        name = databases.clone(database_template)
        with django_db_blocker.unblock(), databases.pointed_at(name):
            ground(vouchers * 2)
            story.redeem("k", "LI", "LUNCH", "PM09", "2026-01-05 11:30", quantity=1)
            story.place("before", "ZHAO", "LUNCH", "PM09", "2026-01-06", "2026-01-05")
            with round_trips(monkeypatch) as sent:
                act()
            counts.append([len(trip) for trip in sent])
        databases.drop(name)
    assert counts[0] == counts[1]
