"""What each account must hold, reckoned from the domain's own rows and never from the journal.

A witness is one such reckoning: it speaks for some accounts, and where two speak for the same account they
start from different rows. A fen changed in any of those rows, or in the journal, sets a witness against the
books and names the account. All are debits less credits, in yuan.
"""

from collections.abc import Iterable
from decimal import Decimal

from django.db import connection

from ledger import chart
from ledger.money import ZERO

Balances = dict[str, Decimal]


def domain_balances() -> Balances:
    """What each account of the chart must hold, by the first witness that speaks for it."""
    found: Balances = {}
    for balances in witnesses().values():
        found = {**balances, **found}
    return found


def witnesses() -> dict[str, Balances]:
    """Every witness by its name. Accounts that it speaks for and that hold nothing are in it, with zero."""
    return {
        "vouchers": _vouchers(),
        "redemptions": _redemptions(),
        "statements": _statements(),
        "bank lines": _bank_lines(),
        "handings over": _handovers(),
        "movements": _movements(),
        "issue runs": _issue_runs(),
        "open holds": _open_holds(),
        "rent charges": _rent_charges(),
        "carry": _carry(),
    }


def _rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _add(balances: Balances, pairs: Iterable[tuple[str, Decimal]]) -> None:
    for account, amount in pairs:
        balances[account] = balances.get(account, ZERO) + amount


# Vouchers


def _vouchers() -> Balances:
    """Issued, Outstanding and Held from the vouchers themselves."""
    balances: Balances = {}
    for code, face, remaining, held in _rows(
        """
        SELECT p.code, coalesce(face, 0.00), coalesce(remaining, 0.00), coalesce(held, 0.00)
        FROM vouchers_programme p LEFT JOIN (
            SELECT programme_id, sum(face_value) AS face, sum(remaining) AS remaining, sum(held) AS held
            FROM vouchers_voucher GROUP BY programme_id) AS v ON v.programme_id = p.id
        """
    ):
        balances[chart.vouchers_issued(code)] = face
        balances[chart.vouchers_outstanding(code)] = -remaining
        balances[chart.vouchers_held(code)] = -held
    return balances


def _issue_runs() -> Balances:
    return {
        chart.vouchers_issued(code): value
        for code, value in _rows(
            """
            SELECT p.code, coalesce(sum(r.value), 0.00)
            FROM vouchers_programme p LEFT JOIN vouchers_issuerun r ON r.programme_id = p.id GROUP BY p.code
            """
        )
    }


# How one movement changes each account of its programme: the signs of ledger entries (debit positive).
MOVES = {
    "redeem": {chart.vouchers_outstanding: 1, chart.vouchers_redeemed: -1, chart.voucher_expense: 1},
    "redeem_held": {chart.vouchers_held: 1, chart.vouchers_redeemed: -1, chart.voucher_expense: 1},
    "give_back": {chart.vouchers_redeemed: 1, chart.vouchers_outstanding: -1, chart.voucher_expense: -1},
    "hold": {chart.vouchers_outstanding: 1, chart.vouchers_held: -1},
    "release": {chart.vouchers_held: 1, chart.vouchers_outstanding: -1},
    "expire": {chart.vouchers_outstanding: 1, chart.vouchers_expired: -1},
    "void": {chart.vouchers_outstanding: 1, chart.vouchers_voided: -1},
    "unvoid": {chart.vouchers_voided: 1, chart.vouchers_outstanding: -1},
}


def _movements() -> Balances:
    """All accounts of the programmes from issue runs and movements."""
    balances: Balances = {}
    payout = {}
    for code, settlement, issued in _rows(
        """
        SELECT p.code, p.settlement, coalesce(sum(r.value), 0.00)
        FROM vouchers_programme p LEFT JOIN vouchers_issuerun r ON r.programme_id = p.id
        GROUP BY p.code, p.settlement
        """
    ):
        payout[code] = settlement == "payout"
        balances[chart.vouchers_outstanding(code)] = -issued
        for account in (
            chart.vouchers_held,
            chart.vouchers_redeemed,
            chart.vouchers_expired,
            chart.vouchers_voided,
        ):
            balances[account(code)] = ZERO
        if payout[code]:
            balances[chart.voucher_expense(code)] = ZERO
    for code, kind, amount in _rows(
        """
        SELECT p.code, moved.kind, sum(moved.amount)
        FROM (SELECT v.programme_id, m.kind, sum(m.amount) AS amount
            FROM vouchers_movement m JOIN vouchers_voucher v ON v.id = m.voucher_id GROUP BY 1, 2) AS moved
        JOIN vouchers_programme p ON p.id = moved.programme_id GROUP BY 1, 2
        """
    ):
        _add(
            balances,
            (
                (account(code), sign * amount)
                for account, sign in MOVES[kind].items()
                if account is not chart.voucher_expense or payout[code]
            ),
        )
    return balances


def _open_holds() -> Balances:
    """Held from what open orders set aside."""
    return {
        chart.vouchers_held(code): -amount
        for code, amount in _rows(
            """
            SELECT p.code, coalesce(sum(held.amount), 0.00)
            FROM vouchers_programme p LEFT JOIN (
                SELECT v.programme_id, l.amount
                FROM vouchers_hold h JOIN vouchers_holdline l ON l.hold_id = h.id
                JOIN vouchers_voucher v ON v.id = l.voucher_id WHERE h.state = 'open') AS held
                ON held.programme_id = p.id
            GROUP BY p.code
            """
        )
    }


# Redemptions


# What was spent in redemptions: movements of the moment of spending, whatever became of it later. That they name a
# redemption goes without saying; said, it lets them be read in the order of redemptions instead of gathered.
SPENT = """
    vouchers_movement m JOIN vouchers_voucher v ON v.id = m.voucher_id JOIN vouchers_programme p ON p.id = v.programme_id
"""
SPENDING = "m.kind IN ('redeem', 'redeem_held') AND m.redemption_id IS NOT NULL"

PAYABLE = f"""
    SELECT o.code, coalesce(sum(r.government), 0.00), coalesce(sum(r.charity), 0.00), coalesce(sum(paid.amount), 0.00)
    FROM providers_operator o
    LEFT JOIN providers_lease l ON l.operator_id = o.id
    LEFT JOIN vouchers_redemption r ON r.lease_id = l.id AND r.reversed_on IS NULL
    LEFT JOIN (
        SELECT m.redemption_id, sum(m.amount) AS amount FROM {SPENT}
        WHERE {SPENDING} AND p.settlement = 'payout' GROUP BY 1) AS paid ON paid.redemption_id = r.id
    GROUP BY o.code
"""  # noqa: S608 - the parts are constants above

# Redeemed by programme as redemptions and claims tell it. Neither names programmes, so where their sums and the
# movements differ, the difference is laid on the first programme that the redemption was paid from.
REDEEMED = f"""
    WITH standing AS (
        SELECT v.programme_id, sum(m.amount) AS amount
        FROM vouchers_movement m JOIN vouchers_voucher v ON v.id = m.voucher_id
        JOIN vouchers_redemption r ON r.id = m.redemption_id
        WHERE {SPENDING} AND r.reversed_on IS NULL GROUP BY 1),
    by_redemption AS (
        SELECT coalesce(
                (SELECT min(v.programme_id) FROM vouchers_movement m JOIN vouchers_voucher v ON v.id = m.voucher_id
                    WHERE {SPENDING} AND m.redemption_id = r.id),
                (SELECT min(id) FROM vouchers_programme)),
            r.vouchers - coalesce(s.amount, 0)
        FROM vouchers_redemption r LEFT JOIN (
            SELECT m.redemption_id, sum(m.amount) AS amount FROM vouchers_movement m WHERE {SPENDING} GROUP BY 1) AS s
            ON s.redemption_id = r.id
        WHERE r.vouchers <> coalesce(s.amount, 0)),
    by_claim AS (
        SELECT coalesce(s.programme_id, (SELECT min(id) FROM vouchers_programme WHERE lease_id = c.lease_id)),
            coalesce(c.amount, 0) - coalesce(s.amount, 0)
        FROM vouchers_claim c FULL JOIN (
            SELECT m.redemption_id, p.lease_id, min(p.id) AS programme_id, sum(m.amount) AS amount
            FROM {SPENT} WHERE {SPENDING} AND p.settlement = 'offset' GROUP BY 1, 2) AS s
            ON s.redemption_id = c.redemption_id AND s.lease_id = c.lease_id
        WHERE coalesce(c.amount, 0) <> coalesce(s.amount, 0))
    SELECT p.code, coalesce(sum(told.amount), 0.00)
    FROM vouchers_programme p LEFT JOIN (
        SELECT programme_id, amount FROM standing
        UNION ALL SELECT * FROM by_redemption
        UNION ALL SELECT * FROM by_claim) AS told ON told.programme_id = p.id
    GROUP BY p.code
"""  # noqa: S608 - the parts are constants above


def _redemptions() -> Balances:
    """Redeemed, subsidy, charity and what operators are owed, from redemptions not reversed."""
    balances = {chart.SUBSIDY_GOVERNMENT: ZERO, chart.FUND_CHARITY: ZERO}
    for code, government, charity, payout in _rows(PAYABLE):
        balances[chart.payable(code)] = -(government + charity + payout)
        balances[chart.SUBSIDY_GOVERNMENT] += government
        balances[chart.FUND_CHARITY] += charity
    for code, amount in _rows(REDEEMED):
        balances[chart.vouchers_redeemed(code)] = -amount
    ((given,),) = _rows("SELECT coalesce(sum(amount), 0.00) FROM vouchers_donation WHERE undone_at IS NULL")
    balances[chart.FUND_CHARITY] -= given
    _add(balances, ((chart.payable(code), amount) for code, amount in _rows(PAID_OUT)))
    return balances


# What operators were paid by bank lines.
PAID_OUT = """
    SELECT o.code, sum(paid.amount) FROM vouchers_payoutpayment paid
        JOIN vouchers_payout p ON p.id = paid.payout_id JOIN providers_operator o ON o.id = p.operator_id
    GROUP BY o.code
"""


def _handovers() -> Balances:
    """What each owner, or the treasury for it, was handed of its rent."""
    return {
        chart.handed_over(code): amount
        for code, amount in _rows(
            """
            SELECT o.code, coalesce(sum(paid.amount), 0.00)
            FROM providers_owner o LEFT JOIN providers_handover h ON h.owner_id = o.id
                LEFT JOIN providers_handoverpayment paid ON paid.handover_id = h.id
            GROUP BY o.code
            """
        )
    }


# Rent and bank


RECEIVED = """
    SELECT lease_id, sum(amount) AS amount FROM (
        SELECT r.lease_id, b.amount FROM providers_receipt r JOIN ledger_bankline b ON b.id = r.bank_line_id
        WHERE r.state = 'matched' AND b.direction = 'in'
        UNION ALL SELECT lease_id, amount FROM providers_receiptpart
        UNION ALL SELECT f.lease_id, -p.amount FROM providers_refundpayment p
            JOIN providers_refund f ON f.id = p.refund_id) AS paid
    GROUP BY 1
"""


def _statements() -> Balances:
    """All accounts of the leases from approved statements and the receipts matched to them."""
    balances: Balances = {}
    for code, charge, credit, applied, lapsed, received in _rows(
        f"""
        WITH posted AS (
            SELECT lease_id, sum(charge) AS charge, sum(credit) AS credit, sum(applied) AS applied, sum(lapsed) AS lapsed
            FROM vouchers_statement WHERE state = 'approved' GROUP BY 1),
        received AS ({RECEIVED})
        SELECT l.code, coalesce(p.charge, 0.00), coalesce(p.credit, 0.00), coalesce(p.applied, 0.00),
            coalesce(p.lapsed, 0.00), coalesce(r.amount, 0.00)
        FROM providers_lease l LEFT JOIN posted p ON p.lease_id = l.id LEFT JOIN received r ON r.lease_id = l.id
        """  # noqa: S608 - the part is a constant above
    ):
        balances[chart.receivable_rent(code)] = charge - applied - received
        balances[chart.rent_income(code)] = -charge
        balances[chart.rent_offset(code)] = credit
        balances[chart.offset_credit(code)] = -(credit - applied - lapsed)
        balances[chart.offset_lapsed(code)] = -lapsed
    return balances


def _rent_charges() -> Balances:
    """Receivables and income from what was charged, lease by lease."""
    balances: Balances = {}
    for code, charge, cash_due, received in _rows(
        f"""
        WITH charged AS (
            SELECT lease_id, sum(charge) AS charge, sum(cash_due) AS cash_due FROM providers_rentcharge GROUP BY 1),
        received AS ({RECEIVED})
        SELECT l.code, coalesce(c.charge, 0.00), coalesce(c.cash_due, 0.00), coalesce(r.amount, 0.00)
        FROM providers_lease l LEFT JOIN charged c ON c.lease_id = l.id LEFT JOIN received r ON r.lease_id = l.id
        """  # noqa: S608 - the part is a constant above
    ):
        balances[chart.receivable_rent(code)] = cash_due - received
        balances[chart.rent_income(code)] = -charge
    return balances


def _carry() -> Balances:
    """What is left of the offset credit: the carry-out of each lease's last approved statement."""
    return {
        chart.offset_credit(code): -carry
        for code, carry in _rows(
            """
            SELECT l.code, coalesce(last.carry_out, 0.00)
            FROM providers_lease l LEFT JOIN (
                SELECT DISTINCT ON (lease_id) lease_id, carry_out FROM vouchers_statement
                WHERE state = 'approved' ORDER BY lease_id, month DESC) AS last ON last.lease_id = l.id
            """
        )
    }


def _bank_lines() -> Balances:
    """Bank, suspense, fees and interest from the bank's own lines and how each stands."""
    ((came, went, waiting, unmatched, fees, interest),) = _rows(
        """
        SELECT coalesce(sum(b.amount) FILTER (WHERE b.direction = 'in'), 0.00),
            coalesce(sum(b.amount) FILTER (WHERE b.direction = 'out'), 0.00),
            coalesce(sum(b.amount) FILTER (WHERE b.direction = 'in' AND coalesce(r.state, 'suspense') IN ('suspense', 'proposed')), 0.00),
            coalesce(sum(b.amount) FILTER (WHERE b.direction = 'out' AND coalesce(r.state, 'suspense') IN ('suspense', 'proposed')), 0.00),
            coalesce(sum(b.amount) FILTER (WHERE r.state = 'fee'), 0.00),
            coalesce(sum(b.amount) FILTER (WHERE r.state = 'interest'), 0.00)
        FROM ledger_bankline b LEFT JOIN providers_receipt r ON r.bank_line_id = b.id
        """
    )
    return {
        chart.BANK_RENT: came - went,
        chart.SUSPENSE_RECEIPTS: -waiting,
        chart.SUSPENSE_PAYMENTS: unmatched,
        chart.BANK_FEES: fees,
        chart.BANK_INTEREST: -interest,
    }
