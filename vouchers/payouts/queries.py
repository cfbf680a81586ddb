"""What an operator is owed that stands on no list yet, and what of earlier lists has been reversed since."""

# ruff: noqa: S608 - all parts of these queries are constants

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from ledger.journal.queries import next_month
from ledger.money import ZERO
from vouchers.models import PayoutLine

PARTS = tuple(PayoutLine.Part.values)

# Parts of redemptions that are owed and on no list; `held`: held back for review, not paid out (rules.md section 6).
# Each part is asked for by itself, so that what stands on a list is out before anything of it is added up.
_OF_OPERATOR = """
    l.operator_id = %(operator)s AND r.service_on < %(end)s AND r.reversed_on IS NULL
        AND NOT EXISTS (SELECT FROM vouchers_payoutline line
            WHERE line.redemption_id = r.id AND line.part = '{part}' AND NOT line.taken_back)
"""
_BY_COLUMN = f"""
    SELECT r.id AS redemption_id, r.service_on, '{{part}}' AS part, r.{{part}} AS amount
    FROM providers_lease l JOIN vouchers_redemption r ON r.lease_id = l.id
    WHERE r.{{part}} > 0 AND {_OF_OPERATOR}
"""
_VOUCHERS = f"""
    SELECT r.id, r.service_on, 'vouchers', sum(m.amount)
    FROM providers_lease l JOIN vouchers_redemption r ON r.lease_id = l.id AND r.vouchers > 0
        JOIN vouchers_movement m ON m.redemption_id = r.id AND m.kind IN ('redeem', 'redeem_held')
        JOIN vouchers_voucher v ON v.id = m.voucher_id
        JOIN vouchers_programme p ON p.id = v.programme_id AND p.settlement = 'payout'
    WHERE {_OF_OPERATOR.format(part="vouchers")}
    GROUP BY r.id, r.service_on HAVING sum(m.amount) > 0
"""
OWED = f"""
    SELECT part.redemption_id, part.service_on, part.part, part.amount, EXISTS (
            SELECT FROM vouchers_reviewcase c
            WHERE c.redemption_id = part.redemption_id AND c.decision = '' AND c.holds) AS held
    FROM ({_BY_COLUMN.format(part="government")} UNION ALL {_BY_COLUMN.format(part="charity")}
        UNION ALL {_VOUCHERS}) AS part
"""
# Parts that stood on a list and whose redemption has been reversed since.
TO_TAKE_BACK = """
    SELECT line.redemption_id, r.service_on, line.part, line.amount, false AS held
    FROM vouchers_payoutline line JOIN vouchers_payout list ON list.id = line.payout_id
        JOIN vouchers_redemption r ON r.id = line.redemption_id
    WHERE list.operator_id = %(operator)s AND NOT line.taken_back AND r.reversed_on IS NOT NULL
        AND NOT EXISTS (SELECT FROM vouchers_payoutline back
            WHERE back.redemption_id = line.redemption_id AND back.part = line.part AND back.taken_back)
"""
# Changes with every part that comes, goes or is swapped.
MARK = "coalesce(bit_xor(hashint8extended(redemption_id, hashtext(part))), 0)"

SUMS = f"""
    SELECT 'owed' AS kind, part, held, sum(amount), {MARK}
    FROM ({OWED}) AS owed GROUP BY part, held
    UNION ALL
    SELECT 'back', part, held, sum(amount), {MARK}
    FROM ({TO_TAKE_BACK}) AS back GROUP BY part, held
"""
COUNTS = f"""
    SELECT count(DISTINCT redemption_id) FILTER (WHERE NOT held AND part = ANY(%(parts)s)),
        count(DISTINCT redemption_id) FILTER (WHERE held)
    FROM ({OWED}) AS owed
"""


@dataclass
class Owed:
    """Yuan by part: what may be paid, what is held back for review, what is to be taken back; their marks."""

    free: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(PARTS, ZERO))
    back: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(PARTS, ZERO))
    marks: dict[str, int] = field(default_factory=dict)
    redemptions: int = 0
    under_review: int = 0


def owed(operator: int, month: date, *, parts: tuple[str, ...] = PARTS) -> Owed:
    """What is owed to an operator (its id) for services up to the end of a month, on no list. Two queries.

    `parts` are those that may be paid now; the others are summed all the same.
    """
    found = Owed()
    where: dict[str, Any] = {"operator": operator, "end": next_month(month), "parts": list(parts)}
    with connection.cursor() as cursor:
        cursor.execute(SUMS, where)
        for kind, part, held, amount, mark in cursor.fetchall():
            if kind == "back":
                found.back[part] += amount
                found.marks[f"back {part}"] = mark
            elif not held:
                found.free[part] += amount
                found.marks[part] = mark
        cursor.execute(COUNTS, where)
        found.redemptions, found.under_review = cursor.fetchone()
    return found


def put_on_list(payout: int, operator: int, month: date, *, parts: tuple[str, ...]) -> dict[str, int]:
    """Write the lines of an approved list (its id); the marks of what was written, by part."""
    marks: dict[str, int] = {}
    where: dict[str, Any] = {
        "payout": payout,
        "operator": operator,
        "end": next_month(month),
        "parts": list(parts),
    }
    for prefix, source, taken_back, condition in (
        ("", OWED, "false", "NOT held AND part = ANY(%(parts)s)"),
        ("back ", TO_TAKE_BACK, "true", "true"),
    ):
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH written AS (
                    INSERT INTO vouchers_payoutline (payout_id, redemption_id, part, taken_back, amount)
                    SELECT %(payout)s, redemption_id, part, {taken_back}, amount FROM ({source}) AS source
                    WHERE {condition} RETURNING redemption_id, part::text)
                SELECT part, {MARK} FROM written GROUP BY part
                """,
                where,
            )
            marks |= {f"{prefix}{part}": mark for part, mark in cursor.fetchall()}
    return marks


PENDING = f"""
    SELECT redemption_id, service_on, part, false AS back, amount FROM ({OWED}) AS owed
    WHERE NOT held AND part = ANY(%(parts)s)
    UNION ALL SELECT redemption_id, service_on, part, true, amount FROM ({TO_TAKE_BACK}) AS back
"""


REVERSED = "reversed"  # the figure of lines taken back, whichever part they are
ONLY = f"WHERE %(only)s IN ('', CASE WHEN back THEN '{REVERSED}' ELSE part END)"


class Pending:
    """What would stand on a list that is not approved yet, in the order of service: rows of (redemption id, part,
    taken back, amount). The database counts, orders and cuts; a page is two queries, whatever the list holds.

    `only` the lines of one figure: a part, or REVERSED.
    """

    def __init__(
        self, operator: int, month: date, *, parts: tuple[str, ...], only: str = "", down: bool = False
    ) -> None:
        self._of = (operator, month)
        self._kept: dict[str, Any] = {"parts": parts, "only": only}
        self._where: dict[str, Any] = {
            "operator": operator,
            "end": next_month(month),
            "parts": list(parts),
            "only": only,
        }
        self._down = down

    def ordered(self, *, down: bool) -> "Pending":
        return Pending(*self._of, **self._kept, down=down)

    def __len__(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({PENDING}) AS pending {ONLY}", self._where)
            return int(cursor.fetchone()[0])

    def __getitem__(self, cut: slice) -> list[tuple[int, str, bool, Decimal]]:
        return self._read("LIMIT %(most)s OFFSET %(first)s", first=cut.start, most=cut.stop - cut.start)

    def __iter__(self) -> Iterator[tuple[int, str, bool, Decimal]]:
        return iter(self._read(""))

    def _read(self, cut: str, **limits: int) -> list[tuple[int, str, bool, Decimal]]:
        way = "DESC" if self._down else "ASC"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT redemption_id, part, back, amount FROM ({PENDING}) AS pending {ONLY} "
                f"ORDER BY service_on {way}, redemption_id {way}, part {way}, back {way} {cut}",
                {**self._where, **limits},
            )
            return cursor.fetchall()
