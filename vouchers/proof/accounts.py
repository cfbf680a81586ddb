"""Accounts of money against the documents behind them, and none outside the chart (rules.md sections 4, 7, 8)."""

# ruff: noqa: S608 - all parts of these queries are constants

from django.utils.translation import gettext_lazy as _

from vouchers.proof.invariants import Invariant

# What the documents say that each account of money holds: debits less credits. The accounts of vouchers, the
# receivables, the carry and the suspense accounts have invariants of their own.
SAID = """
    SELECT 'payable' AS role, l.operator_id AS owner, -(r.government + r.charity) AS amount
    FROM (SELECT lease_id, sum(government) AS government, sum(charity) AS charity
        FROM vouchers_redemption WHERE reversed_on IS NULL GROUP BY lease_id) AS r
        JOIN providers_lease l ON l.id = r.lease_id
    UNION ALL
    SELECT 'subsidy', 0, sum(government) FROM vouchers_redemption WHERE reversed_on IS NULL
    UNION ALL
    SELECT 'charity', 0, sum(charity) FROM vouchers_redemption WHERE reversed_on IS NULL
    UNION ALL
    SELECT 'charity', 0, -sum(amount) FROM vouchers_donation WHERE undone_at IS NULL
    UNION ALL
    SELECT 'payable', operator_id, sum(paid) FROM vouchers_payout GROUP BY operator_id
    UNION ALL
    SELECT 'handed_over', owner_id, sum(paid) FROM providers_handover GROUP BY owner_id
    UNION ALL
    SELECT own.role, 0, sum(CASE line.direction WHEN 'out' THEN line.amount ELSE -line.amount END)
    FROM (VALUES ('bank_fees', 'fee'), ('bank_interest', 'interest')) AS own (role, state)
        JOIN providers_receipt r ON r.state = own.state JOIN ledger_bankline line ON line.id = r.bank_line_id
    GROUP BY own.role
    UNION ALL
    SELECT part.role, part.owner, part.sign * sum(m.amount)
    FROM proof_moved m JOIN vouchers_programme p ON p.id = m.programme_id AND p.settlement = 'payout'
        JOIN vouchers_redemption r ON r.id = m.redemption_id AND r.reversed_on IS NULL
        JOIN providers_lease l ON l.id = r.lease_id
        CROSS JOIN LATERAL (VALUES ('expense', p.id, 1), ('payable', l.operator_id, -1)) AS part (role, owner, sign)
    WHERE m.kind IN ('redeem', 'redeem_held') GROUP BY part.role, part.owner, part.sign
    UNION ALL
    SELECT part.role, s.lease_id, sum(part.amount)
    FROM vouchers_statement s CROSS JOIN LATERAL (VALUES
        ('income', -s.charge), ('rent_offset', s.credit), ('lapsed', -s.lapsed)) AS part (role, amount)
    WHERE s.state = 'approved' GROUP BY part.role, s.lease_id
    UNION ALL
    SELECT 'bank', 0, sum(CASE direction WHEN 'in' THEN amount ELSE -amount END) FROM ledger_bankline
"""

INVARIANTS = [
    Invariant(
        "accounts_as_documents",
        _("Every account of money holds what redemptions, statements and bank lines say."),
        f"""
        SELECT coalesce(max(account.name), min(side.role) || ' without an account')
        FROM (
            SELECT role, owner, amount FROM ({SAID}) AS said
            UNION ALL
            SELECT a.role, a.owner, -b.amount FROM proof_account a JOIN proof_balance b USING (account)
            WHERE a.role IN ('payable', 'subsidy', 'charity', 'expense', 'income', 'rent_offset', 'lapsed', 'bank',
                'handed_over', 'bank_fees', 'bank_interest')
        ) AS side
            LEFT JOIN proof_account a ON a.role = side.role AND a.owner = side.owner
            LEFT JOIN ledger_account account ON account.id = a.account
        GROUP BY side.role, side.owner HAVING sum(side.amount) <> 0
        """,
    ),
    Invariant(
        "chart_complete",
        _("No money and no voucher value stands in an account that the chart does not know."),
        """
        SELECT a.name FROM proof_balance b JOIN ledger_account a ON a.id = b.account
        WHERE b.amount <> 0 AND NOT EXISTS (SELECT FROM proof_account p WHERE p.account = a.id)
        """,
    ),
]
