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
OWED = """
    SELECT r.id AS redemption_id, part.part, part.amount, EXISTS (
            SELECT FROM vouchers_reviewcase c
            WHERE c.redemption_id = r.id AND c.decision = '' AND c.holds) AS held
    FROM providers_lease l JOIN vouchers_redemption r ON r.lease_id = l.id
        CROSS JOIN LATERAL (VALUES ('government', r.government), ('charity', r.charity), ('vouchers', (
            SELECT sum(m.amount) FROM vouchers_movement m JOIN vouchers_voucher v ON v.id = m.voucher_id
                JOIN vouchers_programme p ON p.id = v.programme_id AND p.settlement = 'payout'
            WHERE m.redemption_id = r.id AND m.kind IN ('redeem', 'redeem_held') AND r.vouchers > 0
        ))) AS part (part, amount)
    WHERE l.operator_id = %(operator)s AND r.service_on < %(end)s AND r.reversed_on IS NULL AND part.amount > 0
        AND NOT EXISTS (SELECT FROM vouchers_payoutline line
            WHERE line.redemption_id = r.id AND line.part = part.part AND NOT line.taken_back)
"""
# Parts that stood on a list and whose redemption has been reversed since.
TO_TAKE_BACK = """
    SELECT line.redemption_id, line.part, line.amount, false AS held
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


def pending_lines(
    operator: int, month: date, *, parts: tuple[str, ...]
) -> Iterator[tuple[int, str, bool, Decimal]]:
    """What would stand on the list now: (redemption id, part, taken back, amount), of a list not yet approved."""
    where: dict[str, Any] = {"operator": operator, "end": next_month(month), "parts": list(parts)}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT redemption_id, part, false, amount FROM ({OWED}) AS owed
            WHERE NOT held AND part = ANY(%(parts)s)
            UNION ALL SELECT redemption_id, part, true, amount FROM ({TO_TAKE_BACK}) AS back
            ORDER BY 1, 2
            """,
            where,
        )
        yield from cursor.fetchall()
