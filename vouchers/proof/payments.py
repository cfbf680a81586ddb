"""Payout lists and what outgoing bank lines paid (rules.md section 8)."""

from django.utils.translation import gettext_lazy as _

from vouchers.proof.invariants import Invariant

INVARIANTS = [
    Invariant(
        "payout_lines",
        _("Every approved list adds up from its lines, part by part."),
        """
        SELECT p.number
        FROM vouchers_payout p LEFT JOIN (
            SELECT payout_id, sum(amount) FILTER (WHERE part = 'government' AND NOT taken_back) AS government,
                sum(amount) FILTER (WHERE part = 'charity' AND NOT taken_back) AS charity,
                sum(amount) FILTER (WHERE part = 'vouchers' AND NOT taken_back) AS vouchers,
                sum(amount) FILTER (WHERE taken_back) AS reversed
            FROM vouchers_payoutline GROUP BY 1) AS line ON line.payout_id = p.id
        WHERE (p.state <> 'approved' AND line.payout_id IS NOT NULL) OR (p.state = 'approved' AND (
            coalesce(line.government, 0) <> p.government OR coalesce(line.charity, 0) <> p.charity
            OR coalesce(line.vouchers, 0) <> p.vouchers OR coalesce(line.reversed, 0) <> p.reversed))
        """,
    ),
    Invariant(
        "payout_line_as_redeemed",
        _(
            "Every line of a list is a part of a redemption of this operator; taken back only once it was paid."
        ),
        """
        SELECT list.number
        FROM vouchers_payoutline line JOIN vouchers_payout list ON list.id = line.payout_id
            JOIN vouchers_redemption r ON r.id = line.redemption_id JOIN providers_lease l ON l.id = r.lease_id
            LEFT JOIN vouchers_payoutline paid ON paid.redemption_id = line.redemption_id
                AND paid.part = line.part AND NOT paid.taken_back
        WHERE l.operator_id <> list.operator_id OR paid.amount IS DISTINCT FROM line.amount
            OR (line.part = 'government' AND line.amount <> r.government)
            OR (line.part = 'charity' AND line.amount <> r.charity)
            OR (line.taken_back AND r.reversed_on IS NULL)
        """,
    ),
    Invariant(
        "payout_carried",
        _("What a list could not take back is carried to the operator's next one."),
        """
        SELECT number FROM (
            SELECT number, carry_in, lag(carry_out, 1, 0.00) OVER (PARTITION BY operator_id ORDER BY month) AS before
            FROM vouchers_payout WHERE state = 'approved') AS list
        WHERE carry_in <> before
        """,
    ),
    Invariant(
        "payments_add_up",
        _("An outgoing bank line is matched exactly when what it paid adds up to it."),
        """
        SELECT 'bank line ' || line.id
        FROM providers_receipt r JOIN ledger_bankline line ON line.id = r.bank_line_id
            LEFT JOIN (
                SELECT receipt_id, sum(amount) AS amount FROM (
                    SELECT receipt_id, amount FROM vouchers_payoutpayment
                    UNION ALL SELECT receipt_id, amount FROM providers_refundpayment
                    UNION ALL SELECT receipt_id, amount FROM providers_handoverpayment) AS paid
                GROUP BY 1) AS paid ON paid.receipt_id = r.id
        WHERE coalesce(paid.amount, 0) <> CASE WHEN r.state = 'paid' THEN line.amount ELSE 0 END
        """,
    ),
    Invariant(
        "paid_as_bank_lines_paid",
        _(
            "Of every list, refund and sum handed over so much is paid as bank lines paid, and no more than was approved."
        ),
        """
        SELECT paid.number FROM (
            SELECT p.number, p.state, p.paid, p.to_pay AS whole, true AS stays,
                (SELECT sum(amount) FROM vouchers_payoutpayment WHERE payout_id = p.id) AS lines
            FROM vouchers_payout p
            UNION ALL SELECT f.number, f.state, f.paid, f.amount, false,
                (SELECT sum(amount) FROM providers_refundpayment WHERE refund_id = f.id)
            FROM providers_refund f
            UNION ALL SELECT h.number, h.state, h.paid, h.amount, false,
                (SELECT sum(amount) FROM providers_handoverpayment WHERE handover_id = h.id)
            FROM providers_handover h) AS paid
        WHERE paid.paid <> coalesce(paid.lines, 0) OR paid.paid < 0 OR paid.paid > paid.whole
            OR (paid.paid <> 0 AND paid.state NOT IN ('approved', 'paid'))
            OR (NOT paid.stays AND (paid.state = 'paid') <> (paid.paid = paid.whole))
        """,
    ),
    Invariant(
        "donation_is_its_bank_line",
        _("Every donation that stands is one incoming bank line, whole."),
        """
        SELECT 'bank line ' || line.id
        FROM providers_receipt r JOIN ledger_bankline line ON line.id = r.bank_line_id
            LEFT JOIN vouchers_donation d ON d.receipt_id = r.id AND d.undone_at IS NULL
        WHERE (r.state = 'fund') <> (d.id IS NOT NULL) OR d.amount <> line.amount OR (d.id IS NOT NULL AND line.direction <> 'in')
        """,
    ),
    Invariant(
        "handover_lines",
        _("What is handed over adds up from the leases of that owner's premises."),
        """
        SELECT h.number
        FROM providers_handover h JOIN providers_owner o ON o.id = h.owner_id
            LEFT JOIN providers_handoverline line ON line.handover_id = h.id
            LEFT JOIN providers_lease l ON l.id = line.lease_id LEFT JOIN providers_premises p ON p.id = l.premises_id
        GROUP BY h.id, h.number, h.amount
        HAVING coalesce(sum(line.amount), 0) <> h.amount
        """,
    ),
]
