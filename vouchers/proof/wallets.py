"""Vouchers, their movements, holds and issue runs against each other and against the journal
(rules.md sections 3, 5, 6 and 9, 2 and 3)."""

# ruff: noqa: S608 - all parts of these queries are constants

from django.utils.translation import gettext_lazy as _

from vouchers.proof.invariants import Invariant

# What each kind of movement does to the two pockets of a voucher, and between which accounts it goes.
KINDS = """
    (VALUES
        ('redeem', -1, 0, 'outstanding', 'redeemed'),
        ('redeem_held', 0, -1, 'held', 'redeemed'),
        ('give_back', 1, 0, 'redeemed', 'outstanding'),
        ('hold', -1, 1, 'outstanding', 'held'),
        ('release', 1, -1, 'held', 'outstanding'),
        ('expire', -1, 0, 'outstanding', 'expired'),
        ('void', -1, 0, 'outstanding', 'voided'),
        ('unvoid', 1, 0, 'voided', 'outstanding')
    ) AS k (kind, to_remaining, to_held, debit, credit)
"""

SERIAL = "p.code || '-' || lpad(v.id::text, 9, '0')"

# What the movements and issue runs of one programme say that its accounts hold, as debits less credits.
POCKETS = f"""
    SELECT m.programme_id AS programme, side.role, side.sign * m.amount AS amount
    FROM (SELECT programme_id, kind, sum(amount) AS amount FROM proof_moved GROUP BY programme_id, kind) AS m
        JOIN {KINDS} ON k.kind = m.kind
        CROSS JOIN LATERAL (VALUES (k.debit, 1), (k.credit, -1)) AS side (role, sign)
    UNION ALL
    SELECT programme_id, 'issued', sum(face_value) FROM vouchers_voucher GROUP BY programme_id
    UNION ALL
    SELECT programme_id, 'outstanding', -sum(face_value) FROM vouchers_voucher GROUP BY programme_id
"""

INVARIANTS = [
    Invariant(
        "voucher_within_face",
        _("No voucher holds less than zero or more than its face value."),
        f"""
        SELECT {SERIAL} FROM vouchers_voucher v JOIN vouchers_programme p ON p.id = v.programme_id
        WHERE v.remaining < 0 OR v.held < 0 OR v.remaining + v.held > v.face_value
        """,
    ),
    Invariant(
        "voucher_history",
        _("What each voucher holds free and set aside is its face value and all its movements."),
        f"""
        SELECT {SERIAL}
        FROM vouchers_voucher v JOIN vouchers_programme p ON p.id = v.programme_id
            LEFT JOIN (
                SELECT m.voucher_id, sum(k.to_remaining * m.amount) AS remaining, sum(k.to_held * m.amount) AS held
                FROM vouchers_movement m JOIN {KINDS} ON k.kind = m.kind GROUP BY m.voucher_id
            ) AS history ON history.voucher_id = v.id
        WHERE v.remaining <> v.face_value + coalesce(history.remaining, 0) OR v.held <> coalesce(history.held, 0)
        """,
    ),
    Invariant(
        "voucher_held_by_orders",
        _("What is set aside of each voucher is what open orders set aside of it."),
        f"""
        SELECT {SERIAL}
        FROM vouchers_voucher v JOIN vouchers_programme p ON p.id = v.programme_id
            FULL JOIN (
                SELECT line.voucher_id, sum(line.amount) AS held
                FROM vouchers_holdline line JOIN vouchers_hold h ON h.id = line.hold_id
                WHERE h.state = 'open' GROUP BY line.voucher_id
            ) AS orders ON orders.voucher_id = v.id
        WHERE coalesce(v.held, 0) <> coalesce(orders.held, 0)
        """,
    ),
    Invariant(
        "closed_voucher_empty",
        _("Expired vouchers, voided ones and those of the dead hold nothing that could be spent."),
        f"""
        SELECT {SERIAL}
        FROM vouchers_voucher v JOIN vouchers_programme p ON p.id = v.programme_id
            JOIN vouchers_elder e ON e.id = v.elder_id
        WHERE (v.remaining > 0 AND (v.expired_on IS NOT NULL OR v.voided_on IS NOT NULL))
            OR (v.remaining + v.held > 0 AND e.died_on IS NOT NULL)
        """,
    ),
    Invariant(
        "issued_once",
        _("Nobody was issued a voucher of one programme and period twice."),
        f"""
        SELECT min({SERIAL}) FROM vouchers_voucher v JOIN vouchers_programme p ON p.id = v.programme_id
        GROUP BY v.elder_id, v.programme_id, v.valid_from, v.ordinal HAVING count(*) > 1
        """,
    ),
    Invariant(
        "issue_run_complete",
        _(
            "Every issue run tells how many vouchers of which value it issued to how many, and these are there."
        ),
        """
        SELECT p.code || ' ' || run.issued_on
        FROM vouchers_issuerun run JOIN vouchers_programme p ON p.id = run.programme_id
            LEFT JOIN (
                SELECT run_id, count(*) AS vouchers, count(DISTINCT elder_id) AS elders, sum(face_value) AS value,
                    min(programme_id) AS programme, max(programme_id) AS other_programme,
                    min(valid_from) AS day, max(valid_from) AS other_day
                FROM vouchers_voucher GROUP BY run_id
            ) AS issued ON issued.run_id = run.id
        WHERE (run.vouchers, run.elders, run.value) IS DISTINCT FROM (issued.vouchers, issued.elders, issued.value)
            OR (run.programme_id, run.programme_id, run.issued_on, run.issued_on)
                IS DISTINCT FROM (issued.programme, issued.other_programme, issued.day, issued.other_day)
        UNION ALL
        SELECT p.code || '-' || lpad(v.id::text, 9, '0')
        FROM vouchers_voucher v JOIN vouchers_programme p ON p.id = v.programme_id
            LEFT JOIN vouchers_issuerun run ON run.id = v.run_id
        WHERE run.id IS NULL
        """,
    ),
    Invariant(
        "budget_kept",
        _("No programme issued more than its budget."),
        """
        SELECT p.code FROM vouchers_programme p JOIN vouchers_voucher v ON v.programme_id = p.id
        WHERE p.budget IS NOT NULL GROUP BY p.code, p.budget HAVING sum(v.face_value) > p.budget
        """,
    ),
    Invariant(
        "movements_posted",
        _("Voucher value in every entry goes between the accounts that its movements and issue runs name."),
        f"""
        SELECT 'entry ' || entry_id
        FROM (
            SELECT entry_id, debit_id AS debit, credit_id AS credit, amount FROM ledger_transfer WHERE commodity = 'VCY'
            UNION ALL
            SELECT m.entry_id, debit.account, credit.account, -m.amount
            FROM proof_moved m
                JOIN {KINDS} ON k.kind = m.kind
                LEFT JOIN proof_account debit ON debit.role = k.debit AND debit.owner = m.programme_id
                LEFT JOIN proof_account credit ON credit.role = k.credit AND credit.owner = m.programme_id
            UNION ALL
            SELECT run.entry_id, debit.account, credit.account, -run.value
            FROM vouchers_issuerun run
                JOIN proof_account debit ON debit.role = 'issued' AND debit.owner = run.programme_id
                JOIN proof_account credit ON credit.role = 'outstanding' AND credit.owner = run.programme_id
        ) AS side
        GROUP BY entry_id, debit, credit HAVING sum(amount) <> 0
        """,
    ),
    Invariant(
        "programme_pockets",
        _("Each programme's accounts hold what its vouchers and their movements add up to."),
        f"""
        SELECT p.code || ' ' || side.role
        FROM (
            SELECT role, owner AS programme, b.amount
            FROM proof_account JOIN proof_balance b USING (account)
            WHERE role IN ('issued', 'outstanding', 'held', 'redeemed', 'expired', 'voided')
            UNION ALL
            SELECT role, programme, -amount FROM ({POCKETS}) AS pocket
        ) AS side JOIN vouchers_programme p ON p.id = side.programme
        GROUP BY p.code, side.role HAVING sum(side.amount) <> 0
        """,
    ),
    Invariant(
        "programme_identity",
        _("For each programme: issued = outstanding + held + redeemed + expired + voided."),
        """
        SELECT p.code FROM proof_account a JOIN proof_balance b USING (account)
            JOIN vouchers_programme p ON p.id = a.owner
        WHERE a.role IN ('issued', 'outstanding', 'held', 'redeemed', 'expired', 'voided')
        GROUP BY p.code HAVING sum(b.amount) <> 0
        """,
    ),
    Invariant(
        "outstanding_and_held",
        _("What remains of a programme's vouchers adds up to Outstanding, what is set aside to Held."),
        """
        SELECT p.code || ' ' || pocket.role
        FROM vouchers_programme p
            JOIN (SELECT programme_id, sum(remaining) AS remaining, sum(held) AS held
                FROM vouchers_voucher GROUP BY programme_id) AS v ON v.programme_id = p.id
            CROSS JOIN LATERAL (VALUES ('outstanding', v.remaining), ('held', v.held)) AS pocket (role, amount)
            LEFT JOIN proof_account a ON a.owner = p.id AND a.role = pocket.role
            LEFT JOIN proof_balance b ON b.account = a.account
        WHERE pocket.amount <> -coalesce(b.amount, 0)
        """,
    ),
    Invariant(
        "orders_settled",
        _("Every order set aside what its lines say; once closed, all of it was spent or released."),
        """
        SELECT 'HD-' || lpad(h.id::text, 9, '0')
        FROM vouchers_hold h JOIN (
            SELECT hold_id, voucher_id, sum(line) AS line, sum(held) AS held, sum(gone) AS gone
            FROM (
                SELECT hold_id, voucher_id, amount AS line, 0 AS held, 0 AS gone FROM vouchers_holdline
                UNION ALL
                SELECT hold_id, voucher_id, 0, CASE WHEN kind = 'hold' THEN amount ELSE 0 END,
                    CASE WHEN kind IN ('redeem_held', 'release') THEN amount ELSE 0 END
                FROM vouchers_movement WHERE hold_id IS NOT NULL
            ) AS side GROUP BY hold_id, voucher_id
        ) AS line ON line.hold_id = h.id
        WHERE line.line <> line.held OR line.gone <> CASE WHEN h.state = 'open' THEN 0 ELSE line.line END
        UNION ALL
        SELECT 'HD-' || lpad(h.id::text, 9, '0')
        FROM vouchers_hold h LEFT JOIN vouchers_redemption r ON r.hold_id = h.id
        WHERE (h.state = 'delivered') <> (r.id IS NOT NULL)
        """,
    ),
]
