"""What both sides say: the database read as plain values, the model told in the same values, and their difference.

Every view is a dictionary; equal towns give equal views, key by key, to the fen and to the day.
"""

from collections import defaultdict
from contextlib import ExitStack
from decimal import Decimal

from django.db import connection

from tests.reckoning.closing import MONEY
from tests.rules.bureau import Town

FIGURES = (*MONEY, "redemptions", "under_review")

# Net debit of each account on each day: dates are part of the rules.
JOURNAL = """
    SELECT e.dated_on, a.name, sum(side.amount)
    FROM (SELECT entry_id, debit_id AS account, amount FROM ledger_transfer
        UNION ALL SELECT entry_id, credit_id, -amount FROM ledger_transfer) AS side
        JOIN ledger_entry e ON e.id = side.entry_id JOIN ledger_account a ON a.id = side.account
    GROUP BY e.dated_on, a.name HAVING sum(side.amount) <> 0
"""

VOUCHERS = """
    SELECT p.code, e.code, v.valid_from, v.ordinal, v.remaining, v.held, v.valid_until
    FROM vouchers_voucher v JOIN vouchers_programme p ON p.id = v.programme_id
        JOIN vouchers_elder e ON e.id = v.elder_id
"""

REDEMPTIONS = """
    SELECT r.key, r.reversed_on, EXISTS (
        SELECT FROM vouchers_reviewcase c WHERE c.redemption_id = r.id AND c.decision = '' AND c.holds)
    FROM vouchers_redemption r
"""

# A claim that was reversed and never stood counts for nothing: the model keeps it, the claim's row too.
CLAIMS = """
    SELECT r.key, l.code, c.amount, to_char(s.month, 'YYYY-MM'), to_char(t.month, 'YYYY-MM')
    FROM vouchers_claim c JOIN vouchers_redemption r ON r.id = c.redemption_id
        JOIN providers_lease l ON l.id = c.lease_id
        LEFT JOIN vouchers_statement s ON s.id = c.statement_id
        LEFT JOIN vouchers_statement t ON t.id = c.taken_back_id
"""

STATEMENTS = f"""
    SELECT to_char(s.month, 'YYYY-MM'), l.code, s.state, s.round, {", ".join(f"s.{name}" for name in FIGURES)}
    FROM vouchers_statement s JOIN providers_lease l ON l.id = s.lease_id
"""

RECEIPTS = """
    SELECT b.id, r.state, l.code, to_char(r.month, 'YYYY-MM'), b.amount
    FROM ledger_bankline b JOIN providers_receipt r ON r.bank_line_id = b.id
        LEFT JOIN providers_lease l ON l.id = r.lease_id
    ORDER BY b.id
"""


LOCKED = "SELECT to_char(max(month), 'YYYY-MM') FROM ledger_period"


def database() -> dict[str, dict]:
    """The views of the database, after every constraint that waits for a commit was asked. One round trip."""
    journal, vouchers, orders, redemptions, claims, statements, receipts, deaths, locked = _at_once(
        JOURNAL,
        VOUCHERS,
        "SELECT key, state FROM vouchers_hold",
        REDEMPTIONS,
        CLAIMS,
        STATEMENTS,
        RECEIPTS,
        "SELECT code, died_on FROM vouchers_elder",
        LOCKED,
    )
    return {
        "journal": {(day, account): amount for day, account, amount in journal},
        "vouchers": {row[:4]: row[4:] for row in vouchers},
        "orders": dict(orders),
        "redemptions": {key: (day, held) for key, day, held in redemptions},
        "claims": {row[:2]: row[2:] for row in claims},
        "statements": {row[:2]: row[2:] for row in statements},
        "receipts": {n: row[1:] for n, row in enumerate(receipts)},
        "deaths": dict(deaths),
        "locked": {"month": locked[0][0]},
    }


def _at_once(*queries: str) -> list[list[tuple]]:
    connection.ensure_connection()
    with ExitStack() as stack:
        stack.enter_context(connection.connection.pipeline())
        cursors = [stack.enter_context(connection.cursor()) for _ in range(len(queries) + 2)]
        cursors[0].execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursors[1].execute("SET CONSTRAINTS ALL DEFERRED")
        for cursor, query in zip(cursors[2:], queries, strict=True):
            cursor.execute(query)
        return [cursor.fetchall() for cursor in cursors[2:]]


def model(town: Town, journal: "Journal") -> dict[str, dict]:
    """The same views of the model."""
    names = town.voucher_names
    return {
        "journal": journal.upto_now(town),
        "vouchers": {
            names[v.serial]: (v.left, v.held, v.valid_until)
            for wallet in town.wallets.values()
            for v in wallet
        },
        "orders": {key: order.state for key, order in town.orders.items()},
        "redemptions": {
            key: (made.reversed_on, made.review == "held") for (_, key), made in town.redemptions.items()
        },
        "claims": {
            (made.key, lease): (value, made.stands.get(lease), made.taken_off.get(lease))
            for lease, items in town.of_lease.items()
            for made, value in items
        },
        "statements": {
            at: (paper.state, paper.round, *(getattr(paper.figures, name) for name in FIGURES))
            for at, paper in town.papers.items()
        },
        "receipts": {n: _receipt(line) for n, line in enumerate(town.bank_lines)},
        "deaths": {code: elder.died_on for code, elder in town.elders.items()},
        "locked": {"month": town.locked},
    }


def _receipt(line) -> tuple:
    if line.proposed:
        return ("proposed", *line.proposed, line.amount)
    return ("matched" if line.lease else "suspense", line.lease, None, line.amount)


class Journal:
    """Sums of the model's journal, kept while it grows."""

    def __init__(self) -> None:
        self._sums: dict[tuple, Decimal] = defaultdict(Decimal)
        self._read = 0

    def upto_now(self, town: Town) -> dict[tuple, Decimal]:
        for day, _, debited, credited, _, amount in town.journal[self._read :]:
            self._sums[day, debited] += amount
            self._sums[day, credited] -= amount
        self._read = len(town.journal)
        return {key: amount for key, amount in self._sums.items() if amount}


def differences(theirs: dict[str, dict], ours: dict[str, dict]) -> list[str]:
    """Each key of each view where the database and the model do not say the same, as a sentence."""
    return [
        f"{view} {'/'.join(map(str, key)) if isinstance(key, tuple) else key}: "
        f"the database says {_said(theirs[view].get(key))}, the rules {_said(ours[view].get(key))}"
        for view in theirs
        for key in sorted(theirs[view].keys() | ours[view].keys(), key=str)
        if theirs[view].get(key) != ours[view].get(key)
    ]


def _said(value) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def fingerprint() -> dict[str, tuple]:
    """Of each table of ours, how many rows it has and a sum over all of them: equal where nothing changed."""
    with connection.cursor() as cursor:
        if not _tables:
            cursor.execute(
                """
                SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                    AND relname ~ '^(ledger|providers|vouchers|accounts)_' ORDER BY relname
                """
            )
            _tables.extend(name for (name,) in cursor.fetchall())
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {name} AS t"
                for name in _tables
            )
        )
        return {name: rest for name, *rest in cursor.fetchall()}


_tables: list[str] = []
