"""Bank lines and the money that waits in suspense (rules.md section 8)."""

from django.utils.translation import gettext_lazy as _

from vouchers.proof.invariants import Invariant

INVARIANTS = [
    Invariant(
        "bank_line_posted",
        _(
            "Every bank line is one receipt and one entry over its amount, on the bank's account and on its day."
        ),
        """
        SELECT 'bank line ' || line.id
        FROM ledger_bankline line
            JOIN proof_account bank ON bank.role = 'bank'
            LEFT JOIN ledger_entry e ON e.id = line.entry_id
            LEFT JOIN providers_receipt r ON r.bank_line_id = line.id
            LEFT JOIN LATERAL (
                SELECT count(*) AS transfers, sum(CASE line.direction
                    WHEN 'in' THEN CASE WHEN t.debit_id = bank.account THEN t.amount END
                    ELSE CASE WHEN t.credit_id = bank.account THEN t.amount END END) AS amount
                FROM ledger_transfer t WHERE t.entry_id = line.entry_id
            ) AS posted ON true
        WHERE r.id IS NULL OR posted.transfers <> 1 OR posted.amount IS DISTINCT FROM line.amount
            OR (e.dated_on <> (line.booked_at AT TIME ZONE 'Asia/Shanghai')::date AND NOT (
                e.dated_on > (line.booked_at AT TIME ZONE 'Asia/Shanghai')::date
                AND e.dated_on - interval '1 month' IN (SELECT month FROM ledger_period)))
        """,
    ),
    Invariant(
        "bank_line_once",
        _("No bank line was taken twice: equal lines are numbered from 1 without a gap."),
        """
        SELECT 'bank line ' || max(id) FROM ledger_bankline
        GROUP BY fingerprint HAVING count(*) <> max(occurrence) OR count(*) <> count(DISTINCT occurrence)
        """,
    ),
    Invariant(
        "receipt_parts",
        _("The parts of a split receipt add up to its bank line; others have none."),
        """
        SELECT 'bank line ' || line.id
        FROM providers_receipt r JOIN ledger_bankline line ON line.id = r.bank_line_id
            LEFT JOIN (SELECT receipt_id, sum(amount) AS amount FROM providers_receiptpart GROUP BY 1) AS part
                ON part.receipt_id = r.id
        WHERE coalesce(part.amount, 0) <> CASE WHEN r.state = 'split' THEN line.amount ELSE 0 END
        """,
    ),
    Invariant(
        "receipt_goes_its_way",
        _("What came in pays rent, the fund or is interest; what went out is a payment or a fee."),
        """
        SELECT 'bank line ' || line.id
        FROM providers_receipt r JOIN ledger_bankline line ON line.id = r.bank_line_id
        WHERE (r.state IN ('matched', 'split', 'proposed', 'fund', 'interest') AND line.direction <> 'in')
            OR (r.state IN ('paid', 'fee') AND line.direction <> 'out')
        """,
    ),
    Invariant(
        "returned_in_pairs",
        _("What was returned is two bank lines of one sum, one that came and one that went."),
        """
        SELECT 'bank line ' || line.id
        FROM providers_receipt r JOIN ledger_bankline line ON line.id = r.bank_line_id
            LEFT JOIN (
                SELECT side.receipt, count(*) AS pairs, bool_and(a.direction = 'in' AND b.direction = 'out'
                    AND a.amount = b.amount AND came.state = 'returned' AND went.state = 'returned') AS fits
                FROM providers_returned pair
                    LEFT JOIN providers_receipt came ON came.id = pair.came_id
                    LEFT JOIN providers_receipt went ON went.id = pair.went_id
                    LEFT JOIN ledger_bankline a ON a.id = came.bank_line_id
                    LEFT JOIN ledger_bankline b ON b.id = went.bank_line_id
                    CROSS JOIN LATERAL (VALUES (pair.came_id), (pair.went_id)) AS side (receipt)
                GROUP BY side.receipt) AS paired ON paired.receipt = r.id
        WHERE (r.state = 'returned') <> (coalesce(paired.pairs, 0) = 1)
            OR (paired.pairs IS NOT NULL AND paired.fits IS NOT TRUE)
        """,
    ),
    Invariant(
        "suspense",
        _("Money in suspense is that of the bank lines that nobody has matched yet."),
        """
        SELECT account.name
        FROM proof_account a JOIN ledger_account account ON account.id = a.account
            LEFT JOIN proof_balance b ON b.account = a.account
        WHERE (a.role = 'suspense_receipts' AND -coalesce(b.amount, 0) <> (
                SELECT coalesce(sum(line.amount), 0)
                FROM ledger_bankline line JOIN providers_receipt r ON r.bank_line_id = line.id
                WHERE line.direction = 'in' AND r.state IN ('suspense', 'proposed')))
            OR (a.role = 'suspense_payments' AND coalesce(b.amount, 0) <> (
                SELECT coalesce(sum(line.amount), 0)
                FROM ledger_bankline line JOIN providers_receipt r ON r.bank_line_id = line.id
                WHERE line.direction = 'out' AND r.state IN ('suspense', 'proposed')))
        """,
    ),
]
