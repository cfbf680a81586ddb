"""Statements that travel together: what is kept, what is undone, what is told, whoever else is at work."""

from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from ledger import wire
from ledger.wire import Prepared, Transaction, words
from tests.flight import Running, held_open, waiting

ADD = Prepared(
    "test_add", "INSERT INTO ledger_account (name, commodity) VALUES (%(name)s, 'CNY') RETURNING name"
)
COUNT = Prepared("test_count", "SELECT count(*) FROM ledger_account WHERE name = %(name)s")
ECHO = Prepared(
    "test_echo",
    "SELECT %(text)s::text, %(number)s::bigint, %(amount)s::numeric, %(day)s::date, %(at)s::timestamptz,"
    " %(bytes)s::bytea, %(none)s::text, %(list)s::bigint[], %(text)s::text",
)
LAST = Prepared("test_last", "SELECT 1")
LOCK = Prepared("test_lock", "SELECT pg_advisory_xact_lock(%(number)s::bigint)")


def add(name: str, *, last: bool = True) -> None:
    with Transaction() as together:
        together.send((ADD, {"name": name}), last=last)


def has(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_account WHERE name = %s", [name])
        return bool(cursor.fetchone()[0])


def test_values_come_back_as_the_server_writes_them(fresh_db):
    given = {
        "text": "它的 'quote' \\ and {brace}",
        "number": -7,
        "amount": Decimal("12.30"),
        "day": date(2026, 2, 28),
        "at": datetime(2026, 2, 28, 15, 59, 59, 999_000, tzinfo=UTC),
        "bytes": b"\x00\xff",
        "none": None,
        "list": [3, 1, 2],
    }
    with Transaction() as together:
        ((row,),) = together.send((ECHO, given), last=True)
    assert row[:4] == (given["text"], "-7", "12.30", "2026-02-28")
    assert row[5:] == ("\\x00ff", None, "{3,1,2}", given["text"])
    assert words(row[7]) == ["3", "1", "2"] and words("{}") == words(None) == []
    with pytest.raises(TypeError):
        wire.as_text(1.5)


def test_what_was_sent_last_is_kept_and_anything_less_is_not(fresh_db):
    add("Assets:A")
    add("Assets:B", last=False)
    with pytest.raises(ZeroDivisionError), Transaction() as together:
        together.send((ADD, {"name": "Assets:C"}))
        raise ZeroDivisionError
    assert [has(f"Assets:{name}") for name in "ABC"] == [True, False, False]


def test_inside_a_transaction_it_is_a_savepoint(fresh_db):
    with transaction.atomic():
        add("Assets:A")
        add("Assets:B", last=False)
        assert has("Assets:A") and not has("Assets:B")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        add("Assets:C")
        raise ZeroDivisionError
    assert [has(f"Assets:{name}") for name in "ABC"] == [True, False, False]


@pytest.mark.parametrize("nested", [False, True])
def test_the_first_error_is_raised_and_the_connection_goes_on(fresh_db, nested):
    add("Assets:A")
    with transaction.atomic() if nested else Transaction():
        with pytest.raises(IntegrityError, match="ledger_account_name"), Transaction() as together:
            together.send(
                (ADD, {"name": "Assets:B"}), (ADD, {"name": "Assets:A"}), (ADD, {"name": "Assets:C"})
            )
        add("Assets:D")
    assert [has(f"Assets:{name}") for name in "ABCD"] == [True, False, False, True]


def test_what_is_only_checked_at_the_commit_is_raised_too(fresh_db):
    stray = Prepared(
        "test_stray",
        "INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link, reverses_id)"
        " VALUES ('k', 'bank', '2026-01-01', now(), '', %(entry)s)",
    )
    with pytest.raises(IntegrityError, match="reverses_id"), Transaction() as together:
        together.send((stray, {"entry": 999_999_999}), last=True)
    add("Assets:A")
    assert has("Assets:A")


@pytest.mark.parametrize("nested", [False, True])
def test_statements_that_somebody_forgot_are_prepared_again(fresh_db, nested):
    """psycopg forgets everything at a ROLLBACK of its own; here it is told to at once."""

    def both() -> list:
        with transaction.atomic() if nested else nullcontext(), Transaction() as together:
            return together.send((COUNT, {"name": "x"}), (ECHO, dict.fromkeys(ECHO.parameters)), last=True)

    def one() -> list:
        with Transaction() as together:
            return together.send((LAST, {}), last=True)

    both(), one()
    for forgotten in ("ALL", "test_count:1", "test_echo:2", "ALL"):
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL" if forgotten == "ALL" else f'DEALLOCATE "{forgotten}"')
        assert [len(rows) for rows in both()] == [1, 1]
        assert [len(rows) for rows in one()] == [1]  # noticed with the others, or prepared all along


def test_who_waits_for_a_lock_holds_no_other_thread_up(fresh_db):
    """The one that waits is in this process, as is the one that it waits for."""

    def lock() -> None:
        with Transaction() as together:
            together.send((LOCK, {"number": 42}), last=True)

    with held_open(lock):
        second = Running(lock)
        assert waiting(1)
    second.result()


def test_a_lost_session_is_said_to_be_lost(fresh_db):
    add("Assets:A")
    with pytest.raises(OperationalError), Transaction() as together:
        together.send((COUNT, {"name": "x"}))
        with connection.connection.__class__.connect(
            connection.connection.info.dsn, password=connection.settings_dict["PASSWORD"], autocommit=True
        ) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        together.send((ADD, {"name": "Assets:B"}), last=True)
    connection.close()
    assert has("Assets:A") and not has("Assets:B")


def test_interrupted_half_way_the_connection_is_given_up(fresh_db, monkeypatch):
    """An answer that nobody took would be the next question's."""
    with monkeypatch.context() as patch:

        def interrupted(pgconn):
            raise KeyboardInterrupt

        patch.setattr(wire, "_wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            add("Assets:A")
    with pytest.raises(DatabaseError):
        add("Assets:B")
    connection.close()
    add("Assets:C")
    assert has("Assets:C") and not has("Assets:B")
