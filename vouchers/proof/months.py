"""Statements, their approvals, what stands on them, and the accounts of rent (rules.md sections 7 and 9, 2 and 4)."""

# ruff: noqa: S608 - all parts of these queries are constants

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date

from django.db import connection
from django.utils.translation import gettext_lazy as _

from ledger.models import Period
from vouchers.models import Statement
from vouchers.proof.invariants import Invariant
from vouchers.settlement.operations import digest_of
from vouchers.settlement.queries import MARK, history, lease_facts
from vouchers.settlement.reckon import NOTHING, LeaseFacts, Month, Sums, reckon

BEHIND = f"""
    SELECT c.statement_id, date_trunc('month', c.service_on)::date, 'counted', sum(c.amount), count(*), {MARK}
    FROM vouchers_claim c WHERE c.statement_id IS NOT NULL GROUP BY 1, 2
    UNION ALL
    SELECT c.taken_back_id, date_trunc('month', c.service_on)::date, 'taken_back', sum(c.amount), count(*), {MARK}
    FROM vouchers_claim c WHERE c.taken_back_id IS NOT NULL GROUP BY 1, 2
"""


def _sums_behind() -> dict[int, Sums]:
    """By statement id, what the claims that stand on it or that it took back add up to. One query."""
    found: dict[int, dict[str, list]] = {}
    with connection.cursor() as cursor:
        cursor.execute(BEHIND)
        for statement, month, kind, amount, count, mark in cursor.fetchall():
            found.setdefault(statement, {"counted": [], "taken_back": []})[kind].append(
                (month, amount, count, mark)
            )
    return {statement: _sums(**kinds) for statement, kinds in found.items()}


def _sums(counted: list[tuple], taken_back: list[tuple]) -> Sums:
    marks = [0, 0]
    for place, rows in enumerate((counted, taken_back)):
        for *_other, mark in rows:
            marks[place] ^= mark
    return Sums(
        counted={row[0]: row[1] for row in counted},
        taken_back={row[0]: row[1] for row in taken_back},
        redemptions=sum(row[2] for row in counted),
        counted_mark=marks[0],
        taken_back_mark=marks[1],
    )


def _facts() -> tuple[dict[int, LeaseFacts], dict[int, list[Month]]]:
    return {lease.id: lease for lease in lease_facts()}, history(date.max)


def _statements_reckoned_otherwise() -> Iterator[str]:
    leases, past = _facts()
    sums = _sums_behind()
    approved = Statement.objects.filter(state=Statement.State.APPROVED).order_by("lease__code", "month")
    for statement in approved.select_related("lease"):
        behind = sums.get(statement.id, NOTHING)
        before = [month for month in past[statement.lease_id] if month.month < statement.month]
        figures = reckon(lease=leases[statement.lease_id], month=statement.month, sums=behind, history=before)
        # How many were held back on the day of approval is not kept anywhere else.
        figures = replace(figures, under_review=statement.under_review)
        if any(getattr(statement, name) != value for name, value in asdict(figures).items()):
            yield f"{statement} figures"
        elif digest_of(figures, behind) != statement.digest:
            yield f"{statement} digest"


def _missing_statements() -> Iterator[str]:
    """Locked months without the approved statement of a lease that has one; the first locked month had none."""
    leases, past = _facts()
    for month in Period.objects.order_by("month").values_list("month", flat=True)[1:]:
        for lease in leases.values():
            months = past.get(lease.id, [])
            if any(done.month == month for done in months) or month < lease.starts_on.replace(day=1):
                continue
            before = [done for done in months if done.month < month]
            if (
                lease.in_force_in(month)
                or reckon(lease=lease, month=month, sums=NOTHING, history=before).lapsed
            ):
                yield f"{lease.code} {month:%Y-%m}"


STATEMENT = "l.code || ' ' || to_char(s.month, 'YYYY-MM')"
LAST_LOCKED = "(SELECT max(month) FROM ledger_period)"
FIRST_LOCKED = "(SELECT min(month) FROM ledger_period)"

INVARIANTS = [
    Invariant(
        "statements_reckoned",
        _(
            "Every approved statement shows the figures that its terms, the months before and what stands on it give, "
            "under the digest that was approved."
        ),
        find=_statements_reckoned_otherwise,
    ),
    Invariant(
        "statement_once",
        _("No lease has two statements of one month."),
        f"""
        SELECT {STATEMENT} FROM vouchers_statement s JOIN providers_lease l ON l.id = s.lease_id
        GROUP BY l.code, s.month HAVING count(*) > 1
        """,
    ),
    Invariant(
        "three_approvals",
        _(
            "Every step of a statement was done over its digest, in order; an approved one by three different people."
        ),
        f"""
        SELECT {STATEMENT}
        FROM vouchers_statement s JOIN providers_lease l ON l.id = s.lease_id
            LEFT JOIN LATERAL (
                SELECT coalesce(array_agg(a.step::text ORDER BY a.id), '{{}}') AS steps,
                    -- silence confirms without anybody's name
                    count(DISTINCT a.by_id) + count(*) FILTER (WHERE a.deemed AND a.by_id IS NULL) AS people,
                    count(*) AS done, bool_and(a.digest = s.digest) AS same
                FROM vouchers_approval a WHERE a.statement_id = s.id AND a.round = s.round
            ) AS now ON true
        WHERE now.steps <> CASE s.state
                WHEN 'draft' THEN '{{}}'::text[]
                WHEN 'confirmed' THEN '{{confirm}}'
                WHEN 'reviewed' THEN '{{confirm,review}}'
                ELSE '{{confirm,review,approve}}' END
            OR now.people <> now.done OR NOT coalesce(now.same, true)
        """,
    ),
    Invariant(
        "statement_posted",
        _(
            "The entry of every approved statement posts its charge, credit, offset and lapse, on the last day of the "
            "month; no other statement has an entry."
        ),
        f"""
        WITH moved AS (
            SELECT s.id, s.entry_id,
                CASE WHEN part.amount > 0 THEN debit.account ELSE credit.account END AS debit,
                CASE WHEN part.amount > 0 THEN credit.account ELSE debit.account END AS credit,
                abs(part.amount) AS amount
            FROM vouchers_statement s
                CROSS JOIN LATERAL (VALUES
                    ('receivable', 'income', s.charge), ('rent_offset', 'offset_credit', s.credit),
                    ('offset_credit', 'receivable', s.applied), ('offset_credit', 'lapsed', s.lapsed)
                ) AS part (debit, credit, amount)
                JOIN proof_account debit ON debit.role = part.debit AND debit.owner = s.lease_id
                JOIN proof_account credit ON credit.role = part.credit AND credit.owner = s.lease_id
            WHERE s.state = 'approved' AND part.amount <> 0)
        SELECT 'entry ' || coalesce(entry_id::text, 'missing')
        FROM (
            SELECT entry_id, debit, credit, amount FROM moved
            UNION ALL
            SELECT t.entry_id, t.debit_id, t.credit_id, -t.amount
            FROM ledger_transfer t JOIN ledger_entry e ON e.id = t.entry_id WHERE e.kind = 'statement'
        ) AS side
        GROUP BY entry_id, debit, credit HAVING entry_id IS NULL OR sum(amount) <> 0
        UNION ALL
        SELECT {STATEMENT}
        FROM vouchers_statement s JOIN providers_lease l ON l.id = s.lease_id JOIN ledger_entry e ON e.id = s.entry_id
        WHERE s.state <> 'approved' OR e.dated_on <> (s.month + interval '1 month - 1 day')
            OR e.key <> 'statement:' || l.code || ':' || to_char(s.month, 'YYYY-MM')
        """,
    ),
    Invariant(
        "rent_charged",
        _("Every approved statement charged its lease's rent once, with the same amounts; nothing else did."),
        """
        SELECT l.code || ' ' || to_char(coalesce(s.month, charge.month), 'YYYY-MM')
        FROM (SELECT * FROM vouchers_statement WHERE state = 'approved') AS s
            FULL JOIN providers_rentcharge charge ON charge.lease_id = s.lease_id AND charge.month = s.month
            JOIN providers_lease l ON l.id = coalesce(s.lease_id, charge.lease_id)
        WHERE s.id IS NULL OR charge.id IS NULL OR (s.charge, s.applied, s.cash_due, s.entry_id)
            IS DISTINCT FROM (charge.charge, charge.applied, charge.cash_due, charge.entry_id)
        """,
    ),
    Invariant(
        "months_in_order",
        _(
            "A statement is approved only when the month before is locked, and every locked month has the approved "
            "statement of every lease that has one."
        ),
        f"""
        SELECT {STATEMENT}
        FROM vouchers_statement s JOIN providers_lease l ON l.id = s.lease_id
        WHERE s.month <> date_trunc('month', s.month)
            OR (s.state = 'approved' AND s.month - interval '1 month' NOT IN (SELECT month FROM ledger_period))
            OR (s.state <> 'approved' AND s.month <= {LAST_LOCKED})
        """,
    ),
    Invariant(
        "locked_months_stated",
        _(
            "Every lease in force in a locked month, or with credit lapsing in it, has its approved statement."
        ),
        find=_missing_statements,
    ),
    Invariant(
        "claims_stand_rightly",
        _(
            "What stands on a statement is of its lease, of its month or before, and on an approved one; it was taken "
            "back at most once, on a later approved one."
        ),
        """
        SELECT 'RD-' || lpad(c.redemption_id::text, 9, '0')
        FROM vouchers_claim c
            LEFT JOIN vouchers_statement s ON s.id = c.statement_id
            LEFT JOIN vouchers_statement back ON back.id = c.taken_back_id
        WHERE (c.statement_id IS NOT NULL AND NOT coalesce(
                s.state = 'approved' AND s.lease_id = c.lease_id
                AND c.service_on < s.month + interval '1 month', false))
            OR (c.taken_back_id IS NOT NULL AND NOT coalesce(
                back.state = 'approved' AND back.lease_id = c.lease_id AND back.month > s.month
                AND c.reversed_on IS NOT NULL, false))
        """,
    ),
    # Without a clock: an entry dated in month m was written before m was locked, and a statement of a later
    # month is reckoned after that; so it must count what such an entry tells of.
    Invariant(
        "nothing_forgotten",
        _(
            "Nothing that was earned before a month was locked is missing from the statements of later months."
        ),
        f"""
        SELECT 'RD-' || lpad(c.redemption_id::text, 9, '0')
        FROM vouchers_claim c JOIN vouchers_redemption r ON r.id = c.redemption_id
            JOIN ledger_entry e ON e.id = r.entry_id
            LEFT JOIN (SELECT lease_id, max(month) AS month FROM vouchers_statement WHERE state = 'approved'
                GROUP BY lease_id) AS done ON done.lease_id = c.lease_id
        WHERE c.statement_id IS NULL AND c.reversed_on IS NULL
            AND NOT EXISTS (SELECT FROM vouchers_reviewcase k WHERE k.redemption_id = c.redemption_id AND k.holds)
            AND (done.month > e.dated_on OR {LAST_LOCKED} > greatest(e.dated_on, {FIRST_LOCKED}))
        """,
    ),
    Invariant(
        "reversals_taken_back",
        _(
            "Nothing that stood on a statement and was reversed before a month was locked still counts after it."
        ),
        f"""
        SELECT 'RD-' || lpad(c.redemption_id::text, 9, '0')
        FROM vouchers_claim c JOIN vouchers_reversal back ON back.redemption_id = c.redemption_id
            JOIN ledger_entry e ON e.id = back.entry_id
            JOIN vouchers_statement s ON s.id = c.statement_id
            LEFT JOIN (SELECT lease_id, max(month) AS month FROM vouchers_statement WHERE state = 'approved'
                GROUP BY lease_id) AS done ON done.lease_id = c.lease_id
        WHERE c.reversed_on IS NOT NULL AND c.taken_back_id IS NULL
            AND (done.month > greatest(e.dated_on, s.month)
                OR {LAST_LOCKED} > greatest(e.dated_on, s.month, {FIRST_LOCKED}))
        """,
    ),
    Invariant(
        "receivable",
        _("What a lease owes is its charges less what was offset and less the receipts matched to it."),
        """
        SELECT l.code
        FROM providers_lease l
            LEFT JOIN proof_account a ON a.owner = l.id AND a.role = 'receivable'
            LEFT JOIN proof_balance b ON b.account = a.account
            LEFT JOIN (SELECT lease_id, sum(charge - applied) AS due FROM vouchers_statement
                WHERE state = 'approved' GROUP BY lease_id) AS s ON s.lease_id = l.id
            LEFT JOIN (SELECT lease_id, sum(amount) AS received FROM (
                    SELECT r.lease_id, line.amount
                    FROM providers_receipt r JOIN ledger_bankline line ON line.id = r.bank_line_id
                    WHERE r.state = 'matched' AND line.direction = 'in'
                    UNION ALL SELECT lease_id, amount FROM providers_receiptpart
                    UNION ALL SELECT lease_id, -paid FROM providers_refund) AS paid
                GROUP BY lease_id) AS r ON r.lease_id = l.id
        WHERE coalesce(b.amount, 0) <> coalesce(s.due, 0) - coalesce(r.received, 0)
        """,
    ),
    Invariant(
        "carry_is_balance",
        _("The offset credit that a lease carries is the balance of its account."),
        """
        SELECT l.code
        FROM providers_lease l
            LEFT JOIN proof_account a ON a.owner = l.id AND a.role = 'offset_credit'
            LEFT JOIN proof_balance b ON b.account = a.account
            LEFT JOIN (SELECT DISTINCT ON (lease_id) lease_id, carry_out FROM vouchers_statement
                WHERE state = 'approved' ORDER BY lease_id, month DESC) AS s ON s.lease_id = l.id
        WHERE -coalesce(b.amount, 0) <> coalesce(s.carry_out, 0)
        """,
    ),
]
