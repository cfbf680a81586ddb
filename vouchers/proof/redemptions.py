"""Redemptions, what they spent, posted and earned, and their reversals (rules.md sections 4, 6 and 9, 2)."""

# ruff: noqa: S608 - all parts of these queries are constants

from django.utils.translation import gettext_lazy as _

from vouchers.proof.invariants import Invariant

NUMBER = "'RD-' || lpad(r.id::text, 9, '0')"

SPENT = "m.kind IN ('redeem', 'redeem_held')"

# Entries whose money is that of redemptions; those that carry voucher value alone carry no money at all.
VOUCHER_KINDS = """(
    'redemption', 'reversal', 'issue', 'hold', 'release', 'closing', 'expiry', 'void_death', 'void_fraud',
    'correct_death')"""

INVARIANTS = [
    Invariant(
        "redemption_adds_up",
        _(
            "The parts of every redemption add up to its list price, none below zero, and it claims something."
        ),
        f"""
        SELECT {NUMBER} FROM vouchers_redemption r
        WHERE list_price <> government + concession + charity + vouchers + self_pay
            OR least(government, concession, charity, vouchers, self_pay) < 0 OR quantity <= 0
            OR greatest(government, charity, vouchers) <= 0
        """,
    ),
    Invariant(
        "redemption_spent_vouchers",
        _("The vouchers of every redemption paid exactly what it says vouchers paid."),
        f"""
        SELECT {NUMBER}
        FROM vouchers_redemption r FULL JOIN (
            SELECT redemption_id, sum(amount) AS spent FROM proof_moved m WHERE {SPENT} GROUP BY redemption_id
        ) AS paid ON paid.redemption_id = r.id
        WHERE r.vouchers IS DISTINCT FROM coalesce(paid.spent, 0)
        """,
    ),
    Invariant(
        "redemption_posted",
        _("The money in every entry of a redemption, or of its reversal, is what the redemption says."),
        f"""
        WITH claimed AS (
            SELECT r.id, r.entry_id, debit.account AS debit, payable.account AS credit, part.amount
            FROM vouchers_redemption r JOIN providers_lease l ON l.id = r.lease_id
                CROSS JOIN LATERAL (
                    VALUES ('subsidy', r.government), ('charity', r.charity)) AS part (role, amount)
                JOIN proof_account debit ON debit.role = part.role AND debit.owner = 0
                JOIN proof_account payable ON payable.role = 'payable' AND payable.owner = l.operator_id
            WHERE part.amount <> 0
            UNION ALL
            SELECT r.id, r.entry_id, expense.account, payable.account, m.amount
            FROM proof_moved m JOIN vouchers_programme p ON p.id = m.programme_id
                JOIN vouchers_redemption r ON r.id = m.redemption_id
                JOIN providers_lease l ON l.id = r.lease_id
                JOIN proof_account expense ON expense.role = 'expense' AND expense.owner = p.id
                JOIN proof_account payable ON payable.role = 'payable' AND payable.owner = l.operator_id
            WHERE {SPENT} AND p.settlement = 'payout')
        SELECT 'entry ' || entry_id
        FROM (
            SELECT entry_id, debit, credit, amount FROM claimed
            UNION ALL
            SELECT reversal.entry_id, credit, debit, amount
            FROM claimed JOIN vouchers_reversal reversal ON reversal.redemption_id = claimed.id
            UNION ALL
            SELECT t.entry_id, t.debit_id, t.credit_id, -t.amount
            FROM ledger_transfer t JOIN ledger_entry e ON e.id = t.entry_id
            WHERE t.commodity = 'CNY' AND e.kind IN {VOUCHER_KINDS}
        ) AS side
        GROUP BY entry_id, debit, credit HAVING sum(amount) <> 0
        """,
    ),
    Invariant(
        "redemption_entry_named",
        _(
            "The entry of every redemption bears its number, and is dated its service day or, where that month "
            "was locked, the first day of the next open one."
        ),
        f"""
        SELECT {NUMBER}
        FROM vouchers_redemption r JOIN ledger_entry e ON e.id = r.entry_id
        WHERE e.key <> 'redeem:' || {NUMBER} OR e.link <> {NUMBER}
            OR (e.dated_on <> r.service_on AND NOT (
                e.dated_on > r.service_on AND e.dated_on - interval '1 month' IN (SELECT month FROM ledger_period)))
        """,
    ),
    Invariant(
        "redemption_key_once",
        _("No key was redeemed twice in its scope."),
        f"SELECT min({NUMBER}) FROM vouchers_redemption r GROUP BY key_scope, key HAVING count(*) > 1",
    ),
    Invariant(
        "redemption_on_its_day",
        _("Every redemption's service day is the day in Shanghai on which it happened, within its lease."),
        f"""
        SELECT {NUMBER}
        FROM vouchers_redemption r LEFT JOIN providers_lease l ON l.id = r.lease_id
        WHERE r.service_on <> (r.happened_at AT TIME ZONE 'Asia/Shanghai')::date
            OR l.id IS NULL OR r.service_on NOT BETWEEN l.starts_on AND l.ends_on
        """,
    ),
    Invariant(
        "voucher_valid_when_spent",
        _("Every voucher was spent by its own elder, on a day on which it was valid."),
        """
        SELECT coalesce('RD-' || lpad(m.redemption_id::text, 9, '0'), 'entry ' || m.entry_id)
        FROM proof_moved m WHERE m.kind IN ('redeem', 'redeem_held') AND NOT coalesce(m.fits, false)
        UNION ALL
        SELECT 'entry ' || m.entry_id FROM proof_moved m WHERE m.kind = 'give_back' AND m.redemption_id IS NULL
        """,
    ),
    Invariant(
        "paid_by_one_kind",
        _("No service was paid by vouchers that offset rent and by vouchers that are paid out."),
        f"""
        SELECT 'RD-' || lpad(m.redemption_id::text, 9, '0')
        FROM proof_moved m JOIN vouchers_programme p ON p.id = m.programme_id
        WHERE {SPENT} GROUP BY m.redemption_id HAVING min(p.settlement) <> max(p.settlement)
        """,
    ),
    Invariant(
        "daily_limit_kept",
        _("Nobody had and ordered more of a service for one day than its daily limit."),
        """
        SELECT max(number)
        FROM (
            SELECT elder_id, service_id, service_on, quantity, 'RD-' || lpad(id::text, 9, '0') AS number
            FROM vouchers_redemption WHERE reversed_on IS NULL
            UNION ALL
            SELECT elder_id, service_id, service_on, quantity, 'HD-' || lpad(id::text, 9, '0')
            FROM vouchers_hold WHERE state = 'open'
        ) AS had JOIN providers_service s ON s.id = had.service_id
        WHERE s.daily_limit IS NOT NULL
        GROUP BY had.elder_id, had.service_id, had.service_on, s.daily_limit
        HAVING sum(had.quantity) > s.daily_limit
        """,
    ),
    Invariant(
        "dead_under_review",
        _("Every redemption on or after its elder's death is under review, was cleared, or is reversed."),
        f"""
        SELECT {NUMBER}
        FROM vouchers_redemption r JOIN vouchers_elder e ON e.id = r.elder_id
        WHERE e.died_on <= r.service_on AND r.reversed_on IS NULL AND NOT EXISTS (
            SELECT FROM vouchers_reviewcase c
            WHERE c.redemption_id = r.id AND c.reason = 'after_death' AND c.holds AND c.decision IN ('', 'released'))
        """,
    ),
    Invariant(
        "reversal_complete",
        _(
            "Redemptions that say they are reversed have one reversal, whose entry reverses theirs and bears its day; "
            "others have none, and none of the reversed is under review."
        ),
        f"""
        SELECT {NUMBER}
        FROM vouchers_redemption r FULL JOIN vouchers_reversal back ON back.redemption_id = r.id
            LEFT JOIN ledger_entry e ON e.id = back.entry_id
        WHERE (back.id IS NOT NULL OR r.reversed_on IS NOT NULL) AND (
            r.id IS NULL OR back.id IS NULL OR e.id IS NULL
            OR r.reversed_on IS DISTINCT FROM (back.reversed_at AT TIME ZONE 'Asia/Shanghai')::date
            OR e.reverses_id IS DISTINCT FROM r.entry_id
            OR (e.dated_on <> r.reversed_on AND NOT (
                e.dated_on > r.reversed_on
                AND e.dated_on - interval '1 month' IN (SELECT month FROM ledger_period))))
        UNION ALL
        SELECT {NUMBER}
        FROM vouchers_redemption r JOIN vouchers_reviewcase c ON c.redemption_id = r.id
        WHERE c.decision = '' AND r.reversed_on IS NOT NULL
        """,
    ),
    Invariant(
        "given_back",
        _("A reversal gave back to every voucher what the redemption took; nothing else was given back."),
        f"""
        SELECT {NUMBER}
        FROM (
            SELECT redemption_id, voucher_id, amount FROM vouchers_movement m WHERE kind = 'give_back'
            UNION ALL
            SELECT m.redemption_id, m.voucher_id, -m.amount
            FROM vouchers_movement m JOIN vouchers_redemption gone ON gone.id = m.redemption_id
            WHERE {SPENT} AND gone.reversed_on IS NOT NULL
        ) AS side JOIN vouchers_redemption r ON r.id = side.redemption_id
        GROUP BY r.id, side.voucher_id HAVING sum(side.amount) <> 0
        """,
    ),
    Invariant(
        "claims_complete",
        _("Every redemption earns each lease the value of that lease's offset vouchers in it, once."),
        f"""
        SELECT 'RD-' || lpad(side.redemption_id::text, 9, '0')
        FROM (
            SELECT redemption_id, lease_id, amount FROM vouchers_claim
            UNION ALL
            SELECT m.redemption_id, p.lease_id, -m.amount
            FROM proof_moved m JOIN vouchers_programme p ON p.id = m.programme_id
            WHERE {SPENT} AND p.settlement = 'offset'
        ) AS side
        GROUP BY side.redemption_id, side.lease_id HAVING sum(side.amount) <> 0
        """,
    ),
    Invariant(
        "claims_as_redemptions",
        _("What a redemption earns bears its service day and its day of reversal."),
        f"""
        SELECT {NUMBER}
        FROM vouchers_claim c LEFT JOIN vouchers_redemption r ON r.id = c.redemption_id
        WHERE (c.service_on, c.reversed_on) IS DISTINCT FROM (r.service_on, r.reversed_on)
        """,
    ),
]
