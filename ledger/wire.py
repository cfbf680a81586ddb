"""Prepared statements sent together, and the words that open and end a transaction sent along with them.

The redemption is the one path that queues wait on. There, what cursors cost in this process is more than the
server's own work, so its statements go through psycopg's libpq layer: text in, text out, one round trip to read
and one to write and commit (docs/decisions/0008-two-round-trips.md). Everything else uses the ORM.
"""

import re
import select
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection
from psycopg import pq

Row = tuple[str | None, ...]

_DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Prepared:
    """A statement with parameters `%(name)s`; it is prepared on a connection when it is first sent there.

    Its name on the server begins with `name`. Parameters travel as text; the server infers their types, so the text casts
    those whose place does not tell.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self.source = name, text
        self.parameters: list[str] = []
        self.text = re.sub(r"%\((\w+)\)s", self._place, text).encode()

    def _place(self, found: re.Match[str]) -> str:
        if found[1] not in self.parameters:
            self.parameters.append(found[1])
        return f"${self.parameters.index(found[1]) + 1}"

    def values(self, given: Mapping[str, Any]) -> list[bytes | None]:
        return [as_text(given[name]) for name in self.parameters]


def as_text(value: Any) -> bytes | None:
    """A value as PostgreSQL reads it. Moments are aware; lists hold numbers or plain words."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int | Decimal):
        return str(value).encode()
    if isinstance(value, date | datetime):
        return value.isoformat().encode()
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    if isinstance(value, list):
        return b"{" + ",".join(map(str, value)).encode() + b"}"
    raise TypeError(f"{type(value)} has no text here")


def words(value: str | None) -> list[str]:
    """The members of an array of numbers, dates or plain words; None is an empty one."""
    return value[1:-1].split(",") if value and value != "{}" else []


class Transaction:
    """This block will be one transaction: begun with the first statements sent, ended with those sent `last`.

    Inside a transaction that is open already it is a savepoint of that one. Leaving the block without having
    sent the last undoes it. Raises Django's database errors; after one, only leaving the block is left.

        with Transaction() as transaction:
            locked, read = transaction.send((LOCK, {...}), (READ, {...}))
            (written,) = transaction.send((WRITE, {...}), last=True)
    """

    def __enter__(self) -> "Transaction":
        connection.ensure_connection()
        self._raw: psycopg.Connection = connection.connection
        self._nested = connection.in_atomic_block
        self._open = False
        return self

    def send(self, *commands: tuple[Prepared, Mapping[str, Any]], last: bool = False) -> list[list[Row]]:
        """Send the statements in one round trip; the rows of each, in the server's text."""
        first, self._open = not self._open, True
        after = ([b"RELEASE SAVEPOINT wire"] if self._nested else [b"COMMIT"]) if last else []
        with connection.wrap_database_errors:
            try:
                answers = _exchange(self._raw, self._opening() if first else [], commands, after)
            except psycopg.errors.InvalidSqlStatementName:
                # After a ROLLBACK of its own psycopg has the server forget all that was prepared, ours too.
                if not first:
                    raise
                self._undo()
                answers = _exchange(self._raw, self._opening(), commands, after)
        self._open = not last
        return answers

    def _opening(self) -> list[bytes]:
        if not self._nested:
            return [b"BEGIN"]
        idle = self._raw.pgconn.transaction_status == pq.TransactionStatus.IDLE
        return [b"BEGIN", b"SAVEPOINT wire"] if idle else [b"SAVEPOINT wire"]  # psycopg begins late

    def _undo(self) -> None:
        back = [b"ROLLBACK TO SAVEPOINT wire", b"RELEASE SAVEPOINT wire"] if self._nested else [b"ROLLBACK"]
        _exchange(self._raw, back, (), ())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open and not self._raw.closed:
            with connection.wrap_database_errors:
                self._undo()


def ask(statement: Prepared, given: Mapping[str, Any]) -> list[Row]:
    """The rows of one statement that only reads, in the transaction that is open, or in none. Raises Django's
    database errors."""
    if connection.in_atomic_block:
        with Transaction() as inside:
            return inside.send((statement, given), last=True)[0]
    connection.ensure_connection()
    raw: psycopg.Connection = connection.connection
    with connection.wrap_database_errors:
        try:
            return _exchange(raw, (), [(statement, given)], ())[0]
        except psycopg.errors.InvalidSqlStatementName:  # as in `send`
            return _exchange(raw, (), [(statement, given)], ())[0]


@dataclass
class _Known:
    """What one connection has prepared, by the names on the server.

    Once something proves forgotten, everything is prepared anew under new names: no old one is in the way.
    """

    names: set[bytes] = field(default_factory=set)
    turn: int = 0

    def name(self, statement: Prepared) -> bytes:
        return f"{statement.name}:{self.turn}".encode()

    def forget(self) -> None:
        self.names.clear()
        self.turn += 1


_known: WeakKeyDictionary[psycopg.Connection, _Known] = WeakKeyDictionary()


def _exchange(
    raw: psycopg.Connection,
    before: Iterable[bytes],
    commands: Iterable[tuple[Prepared, Mapping[str, Any]]],
    after: Iterable[bytes],
) -> list[list[Row]]:
    """Send all, then take every answer: the rows of each of `commands`. Raises the first error that came back."""
    known = _known.setdefault(raw, _Known())
    pgconn = raw.pgconn
    sent: list[Callable[[pq.abc.PGresult], None]] = []  # what becomes of each answer
    answers: list[list[Row]] = []
    error: psycopg.Error | None = None
    with raw.lock:
        try:
            pgconn.enter_pipeline_mode()
            for text in before:
                pgconn.send_query_params(text, None)
                sent.append(_nothing)
            for statement, given in commands:
                name = known.name(statement)
                if name not in known.names:
                    pgconn.send_prepare(name, statement.text)
                    sent.append(partial(_prepared_now, known, name))
                pgconn.send_query_prepared(name, statement.values(given))
                sent.append(lambda result: answers.append(_rows(result)))
            for text in after:
                pgconn.send_query_params(text, None)
                sent.append(_nothing)
            pgconn.pipeline_sync()
            for take in sent:
                result = _answer(pgconn)
                _wait(pgconn)  # the end mark of a command
                if result.status in _DONE:
                    take(result)
                elif error is None:
                    error = psycopg.errors.error_from_result(result)
            _answer(pgconn)  # the end mark of the pipeline
            pgconn.exit_pipeline_mode()
        except BaseException:
            raw.close()  # what was asked and what was answered no longer fit together
            raise
    if isinstance(error, psycopg.errors.InvalidSqlStatementName):
        known.forget()
    if error is not None:
        raise error
    return answers


def _prepared_now(known: _Known, name: bytes, _result: pq.abc.PGresult) -> None:
    known.names.add(name)


def _nothing(_result: pq.abc.PGresult) -> None:
    """BEGIN, COMMIT and the like answer nothing."""


def _answer(pgconn: pq.abc.PGconn) -> pq.abc.PGresult:
    if (result := _wait(pgconn)) is None:
        raise psycopg.OperationalError(pgconn.get_error_message() or "the server closed the connection")
    return result


def _wait(pgconn: pq.abc.PGconn) -> pq.abc.PGresult | None:
    """The next answer, waited for without holding other threads up."""
    while pgconn.flush():
        readable, _writable, _ = select.select([pgconn.socket], [pgconn.socket], [])
        if readable:
            pgconn.consume_input()
    while pgconn.is_busy():
        select.select([pgconn.socket], [], [])
        pgconn.consume_input()
    return pgconn.get_result()


def _rows(result: pq.abc.PGresult) -> list[Row]:
    columns = range(result.nfields)
    return [
        tuple(
            None if (value := result.get_value(row, column)) is None else value.decode() for column in columns
        )
        for row in range(result.ntuples)
    ]
