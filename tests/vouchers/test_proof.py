"""verify_ledger: silent on an honest story, and each kind of damage is found by the invariant meant for it.

The damage is planted as the superuser into a copy of the story whose triggers are disabled and whose constraints
are dropped: what the database refuses must still be found if it ever got in.
"""

from io import StringIO
from typing import NamedTuple

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from marketplace.management.base import Refused
from tests import databases, story
from vouchers.models import Elder
from vouchers.proof.queries import EXAMPLES, INVARIANTS, prove


def violated() -> dict[str, list[str]]:
    return {one.name: one.examples for one in prove() if one.violations}


def redemption(key: str) -> str:
    return f"(SELECT id FROM vouchers_redemption WHERE key = '{key}')"


def entry(key: str) -> str:
    return f"(SELECT entry_id FROM vouchers_redemption WHERE key = '{key}')"


def number(key: str) -> str:
    return f"(SELECT 'RD-' || lpad(min(id)::text, 9, '0') FROM vouchers_redemption WHERE key = '{key}')"


def entry_of(kind: str, nth: int = 0) -> str:
    return f"(SELECT id FROM ledger_entry WHERE kind = '{kind}' ORDER BY id OFFSET {nth} LIMIT 1)"


def account(name: str) -> str:
    return f"(SELECT id FROM ledger_account WHERE name = '{name}')"


def statement(lease: str, month: str) -> str:
    return (
        "(SELECT s.id FROM vouchers_statement s JOIN providers_lease l ON l.id = s.lease_id "
        f"WHERE l.code = '{lease}' AND s.month = '{month}-01')"
    )


def voucher(who: str, programme: str) -> str:
    """The last voucher of an elder under a programme: nothing spent of it."""
    return (
        "(SELECT v.id FROM vouchers_voucher v JOIN vouchers_elder e ON e.id = v.elder_id "
        "JOIN vouchers_programme p ON p.id = v.programme_id "
        f"WHERE e.code = '{who}' AND p.code = '{programme}' ORDER BY v.id DESC LIMIT 1)"
    )


def serial(of: str, programme: str) -> str:
    return f"'{programme}-' || lpad({of}::text, 9, '0')"


SPARE = voucher("LI", "PA")
LINE = "(SELECT id FROM ledger_bankline ORDER BY id LIMIT 1)"
OUT = "(SELECT id FROM ledger_bankline WHERE direction = 'out')"


def payout(state: str = "approved", **figures: str) -> str:
    """A payout list of OP01 for January, without lines."""
    of = dict.fromkeys(("government", "charity", "vouchers", "reversed", "carry_in", "total", "to_pay", "carry_out", "held_back"), "0") | figures  # fmt: skip
    return (
        f"INSERT INTO vouchers_payout (state, digest, round, drawn_at, number, month, {', '.join(of)}, redemptions, "
        f"under_review, payee, operator_id, paid) SELECT '{state}', '', 1, now(), 'BF-OP01-202601', "
        f"'2026-01-01', {', '.join(of.values())}, 0, 0, '{{}}', id, 0 FROM providers_operator WHERE code = 'OP01'"
    )


ORDER = "(SELECT 'HD-' || lpad(id::text, 9, '0') FROM vouchers_hold WHERE key = '{}')"


class Damage(NamedTuple):
    """`sql` plants it; `invariant` is to find it and to name `subject` (an SQL expression)."""

    invariant: str
    what: str
    sql: str
    subject: str


DAMAGES = [
    Damage(
        "entry_moves_something", "transfers removed",
        f"DELETE FROM ledger_transfer WHERE entry_id = {entry('zhang-meal')}",
        f"'entry ' || {entry('zhang-meal')}",
    ),
    Damage(
        "transfer_whole", "a transfer from an account to itself",
        f"UPDATE ledger_transfer SET credit_id = debit_id WHERE entry_id = {entry('zhang-meal')} AND line = 1",
        f"'entry ' || {entry('zhang-meal')} || ', line 1'",
    ),
    Damage(
        "transfer_whole", "a transfer without its entry",
        f"DELETE FROM ledger_entry WHERE id = {entry_of('expiry')}",
        f"'entry ' || {entry_of('expiry')} || ', line 1'",
    ),
    Damage(
        "commodities_apart", "voucher value turned into money",
        f"UPDATE ledger_transfer SET credit_id = {account('Liabilities:Payable:OP01')} "
        f"WHERE entry_id = {entry('zhang-meal')} AND line = 1",
        f"'entry ' || {entry('zhang-meal')} || ', line 1'",
    ),
    Damage(
        "account_commodity", "an account moved to the other commodity",
        "UPDATE ledger_account SET commodity = 'CNY' WHERE name = 'Equity:Vouchers:PA:Expired'",
        "'Equity:Vouchers:PA:Expired'",
    ),
    Damage(
        "entry_key_once", "an entry copied",
        f"INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link) "
        f"SELECT key, kind, dated_on, recorded_at, link FROM ledger_entry WHERE id = {entry_of('expiry')}",
        f"'entry ' || {entry_of('expiry')}",
    ),
    Damage(
        "entry_reversed_once", "an entry reversed twice",
        f"UPDATE ledger_entry SET reverses_id = {entry('wang-meal')} WHERE kind = 'reversal'",
        f"'entry ' || {entry('wang-meal')}",
    ),
    Damage(
        "entry_of_one_document", "an entry that no redemption knows",
        "INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link) "
        "VALUES ('redeem:RD-000000999', 'redemption', '2026-03-09', '2026-03-09', 'RD-000000999'); "
        f"INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount) "
        f"SELECT max(id), 1, {account('Expenses:Subsidy:Government')}, {account('Liabilities:Payable:OP01')}, "
        "'CNY', 4 FROM ledger_entry",
        "'entry ' || (SELECT max(id) FROM ledger_entry)",
    ),
    Damage(
        "entry_of_one_document", "two redemptions on one entry",
        f"UPDATE vouchers_redemption SET entry_id = {entry('zhang-meal')} WHERE key = 'zhao-meal'",
        f"'entry ' || {entry('zhang-meal')}",
    ),
    Damage(
        "locked_month_closed", "an entry slipped into a locked month",
        "INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link) "
        "VALUES ('late', 'adjustment', '2026-01-31', '2026-03-20', ''); "
        f"INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount) "
        f"SELECT max(id), 1, {account('Liabilities:Fund:Charity')}, {account('Liabilities:Payable:OP01')}, "
        "'CNY', 1 FROM ledger_entry",
        "'entry ' || (SELECT max(id) FROM ledger_entry)",
    ),
    Damage(
        "locked_month_closed", "an entry slipped in before the first month that was closed",
        f"UPDATE ledger_entry SET dated_on = '2025-11-30' WHERE id = {entry('zhang-meal-2')}",
        f"'entry ' || {entry('zhang-meal-2')}",
    ),
    Damage(
        "locked_months_in_a_row", "a month unlocked",
        "DELETE FROM ledger_period WHERE month = '2026-01-01'",
        "'2026-02'",
    ),
    Damage(
        "voucher_within_face", "a voucher below zero",
        f"UPDATE vouchers_voucher SET remaining = -0.01 WHERE id = {SPARE}",
        serial(SPARE, "PA"),
    ),
    Damage(
        "voucher_within_face", "a voucher above its face value",
        f"UPDATE vouchers_voucher SET held = 0.01 WHERE id = {SPARE}",
        serial(SPARE, "PA"),
    ),
    Damage(
        "voucher_history", "a fen more on a voucher than its movements explain",
        f"UPDATE vouchers_voucher SET remaining = remaining - 0.01 WHERE id = {SPARE}",
        serial(SPARE, "PA"),
    ),
    Damage(
        "voucher_history", "a movement removed",
        f"DELETE FROM vouchers_movement WHERE voucher_id = {voucher('SUN', 'PC')}",
        serial(voucher("SUN", "PC"), "PC"),
    ),
    Damage(
        "voucher_held_by_orders", "an order closed without releasing what it holds",
        "UPDATE vouchers_hold SET state = 'released' WHERE key = 'order-open'",
        serial("(SELECT voucher_id FROM vouchers_holdline l JOIN vouchers_hold h ON h.id = l.hold_id "
               "WHERE h.key = 'order-open')", "PB"),
    ),
    Damage(
        "closed_voucher_empty", "value left to the dead",
        f"UPDATE vouchers_voucher SET remaining = 1 WHERE id = {voucher('SUN', 'PA')}",
        serial(voucher("SUN", "PA"), "PA"),
    ),
    Damage(
        "issued_once", "a voucher issued twice",
        f"UPDATE vouchers_voucher SET ordinal = 4 WHERE id = {SPARE}",
        serial(f"({SPARE} - 1)", "PA"),
    ),
    Damage(
        "issue_run_complete", "a voucher removed",
        f"DELETE FROM vouchers_voucher WHERE id = {SPARE}",
        "'PA 2026-03-01'",
    ),
    Damage(
        "issue_run_complete", "a run that tells of more than it issued",
        "UPDATE vouchers_issuerun SET value = value + 10 WHERE issued_on = '2026-03-01'",
        "'PA 2026-03-01'",
    ),
    Damage(
        "budget_kept", "more issued than the budget",
        "UPDATE vouchers_programme SET budget = 899.99 WHERE code = 'PA'",
        "'PA'",
    ),
    Damage(
        "movements_posted", "a fen of voucher value changed in the journal",
        f"UPDATE ledger_transfer SET amount = amount + 0.01 WHERE entry_id = {entry('zhang-meal')} AND line = 1",
        f"'entry ' || {entry('zhang-meal')}",
    ),
    Damage(
        "movements_posted", "an expiry called a void",
        f"UPDATE vouchers_movement SET kind = 'void' WHERE entry_id = {entry_of('expiry')}",
        f"'entry ' || {entry_of('expiry')}",
    ),
    Damage(
        "programme_pockets", "a movement of another amount",
        f"UPDATE vouchers_movement SET amount = amount - 0.01 WHERE voucher_id = {voucher('SUN', 'PC')}",
        "'PC redeemed'",
    ),
    Damage(
        "programme_identity", "value taken from another programme",
        f"UPDATE ledger_transfer SET debit_id = {account('Liabilities:Vouchers:PB:Outstanding')} "
        f"WHERE entry_id = {entry('zhang-meal')} AND line = 1",
        "'PA'",
    ),
    Damage(
        "outstanding_and_held", "what is held moved to what is free",
        "UPDATE vouchers_voucher SET remaining = remaining + held, held = 0 WHERE held > 0",
        "'PB held'",
    ),
    Damage(
        "orders_settled", "an order that set aside something else",
        "UPDATE vouchers_holdline SET amount = amount + 0.01 "
        "WHERE hold_id = (SELECT id FROM vouchers_hold WHERE key = 'order-cancelled')",
        ORDER.format("order-cancelled"),
    ),
    Damage(
        "orders_settled", "a delivery without its redemption",
        f"UPDATE vouchers_redemption SET hold_id = NULL WHERE id = {redemption('delivered order-less')}",
        ORDER.format("order-less"),
    ),
    Damage(
        "redemption_adds_up", "a price whose parts do not add up",
        f"UPDATE vouchers_redemption SET concession = concession + 1 WHERE id = {redemption('zhang-meal')}",
        number("zhang-meal"),
    ),
    Damage(
        "redemption_spent_vouchers", "a redemption that spent more than its vouchers paid",
        "UPDATE vouchers_redemption SET vouchers = vouchers + 1, self_pay = self_pay - 1 "
        f"WHERE id = {redemption('sun-paid-out')}",
        number("sun-paid-out"),
    ),
    Damage(
        "redemption_posted", "a fen of subsidy changed in the journal",
        f"UPDATE ledger_transfer SET amount = amount + 0.01 WHERE entry_id = {entry('wang-bare')} AND line = 1",
        f"'entry ' || {entry('wang-bare')}",
    ),
    Damage(
        "redemption_posted", "a redemption moved to another operator's lease",
        "UPDATE vouchers_redemption SET lease_id = (SELECT id FROM providers_lease WHERE code = 'LS02') "
        f"WHERE id = {redemption('zhang-meal')}",
        f"'entry ' || {entry('zhang-meal')}",
    ),
    Damage(
        "redemption_entry_named", "an entry dated another day",
        f"UPDATE ledger_entry SET dated_on = '2026-03-20' WHERE id = {entry('zhang-meal-2')}",
        number("zhang-meal-2"),
    ),
    Damage(
        "redemption_entry_named", "two entries exchanged",
        f"UPDATE ledger_entry SET link = 'RD-000000001' WHERE id = {entry('zhang-meal-2')}",
        number("zhang-meal-2"),
    ),
    Damage(
        "redemption_key_once", "a key redeemed twice",
        f"UPDATE vouchers_redemption SET key = 'li-meal' WHERE id = {redemption('zhang-meal')}",
        number("li-meal"),
    ),
    Damage(
        "redemption_on_its_day", "a service moved into another day",
        "UPDATE vouchers_redemption SET happened_at = '2026-03-10 00:00+08' "
        f"WHERE id = {redemption('zhang-meal-2')}",
        number("zhang-meal-2"),
    ),
    Damage(
        "redemption_on_its_day", "a lease that ended before the service",
        "UPDATE providers_lease SET ends_on = '2026-01-20' WHERE code = 'LS03'",
        number("li-feast-21"),
    ),
    Damage(
        "voucher_valid_when_spent", "a voucher that had run out when it was spent",
        f"UPDATE vouchers_voucher SET valid_until = '2026-02-05' WHERE id = {voucher('SUN', 'PC')}",
        number("sun-paid-out"),
    ),
    Damage(
        "voucher_valid_when_spent", "another person's voucher",
        f"UPDATE vouchers_redemption SET elder_id = (SELECT id FROM vouchers_elder WHERE code = 'LI') "
        f"WHERE id = {redemption('zhang-meal')}",
        number("zhang-meal"),
    ),
    Damage(
        "paid_by_one_kind", "one service paid twice over",
        f"UPDATE vouchers_movement SET voucher_id = {voucher('SUN', 'PC')} WHERE id = ("
        f"SELECT max(id) FROM vouchers_movement WHERE redemption_id = {redemption('zhang-meal')})",
        number("zhang-meal"),
    ),
    Damage(
        "daily_limit_kept", "more meals than a day allows",
        f"UPDATE vouchers_redemption SET quantity = 4 WHERE id = {redemption('li-meal-3')}",
        number("li-meal-3"),
    ),
    Damage(
        "dead_under_review", "a meal of the dead that nobody looked at",
        f"DELETE FROM vouchers_reviewcase WHERE redemption_id = {redemption('sun-paid-out')}",
        number("sun-paid-out"),
    ),
    Damage(
        "dead_under_review", "a review lifted though the death stands",
        "UPDATE vouchers_reviewcase SET decision = 'lifted', decided_at = opened_at "
        f"WHERE redemption_id = {redemption('sun-paid-out')}",
        number("sun-paid-out"),
    ),
    Damage(
        "reversal_complete", "a reversal removed",
        f"DELETE FROM vouchers_reversal WHERE redemption_id = {redemption('wang-meal')}",
        number("wang-meal"),
    ),
    Damage(
        "reversal_complete", "a reversed redemption that counts again",
        f"UPDATE vouchers_redemption SET reversed_on = NULL WHERE id = {redemption('wang-meal')}",
        number("wang-meal"),
    ),
    Damage(
        "given_back", "value given back to another voucher",
        f"UPDATE vouchers_movement SET voucher_id = {voucher('WANG', 'PA')} WHERE id = (SELECT max(id) "
        f"FROM vouchers_movement WHERE kind = 'give_back' AND redemption_id = {redemption('wang-meal')})",
        number("wang-meal"),
    ),
    Damage(
        "given_back", "value given back that was never taken back",
        "INSERT INTO vouchers_movement (voucher_id, kind, amount, entry_id, redemption_id) "
        f"SELECT voucher_id, 'give_back', 1, entry_id, redemption_id FROM vouchers_movement "
        f"WHERE redemption_id = {redemption('zhang-meal')} LIMIT 1",
        number("zhang-meal"),
    ),
    Damage(
        "claims_complete", "an offset that counts for nobody",
        f"DELETE FROM vouchers_claim WHERE redemption_id = {redemption('zhang-meal-2')}",
        number("zhang-meal-2"),
    ),
    Damage(
        "claims_complete", "an offset counted for two leases",
        "INSERT INTO vouchers_claim (redemption_id, lease_id, service_on, amount) SELECT redemption_id, "
        "(SELECT id FROM providers_lease WHERE code = 'LS02'), service_on, amount FROM vouchers_claim "
        f"WHERE redemption_id = {redemption('zhang-meal-2')}",
        number("zhang-meal-2"),
    ),
    Damage(
        "claims_as_redemptions", "an offset that forgot its reversal",
        f"UPDATE vouchers_claim SET reversed_on = NULL WHERE redemption_id = {redemption('wang-meal')}",
        number("wang-meal"),
    ),
    Damage(
        "statements_reckoned", "an approved figure changed",
        f"UPDATE vouchers_statement SET lapsed = 0.01 WHERE id = {statement('LS02', '2026-02')}",
        "'LS02 2026-02 figures'",
    ),
    Damage(
        "statements_reckoned", "terms changed under an approved statement",
        "UPDATE providers_leaseterms SET offset_rate = 0.9 "
        "WHERE lease_id = (SELECT id FROM providers_lease WHERE code = 'LS02')",
        "'LS02 2026-01 figures'",
    ),
    Damage(
        "statements_reckoned", "two claims of one amount exchanged behind an approved digest",
        f"UPDATE vouchers_statement SET digest = repeat('0', 64) WHERE id = {statement('LS02', '2026-02')}",
        "'LS02 2026-02 digest'",
    ),
    Damage(
        "statement_once", "two statements of one month",
        f"UPDATE vouchers_statement SET month = '2026-01-01' WHERE id = {statement('LS02', '2026-02')}",
        "'LS02 2026-01'",
    ),
    Damage(
        "three_approvals", "a step missing",
        f"DELETE FROM vouchers_approval WHERE step = 'review' AND statement_id = {statement('LS01', '2026-01')}",
        "'LS01 2026-01'",
    ),
    Damage(
        "three_approvals", "one person for two steps",
        "UPDATE vouchers_approval SET by_id = (SELECT id FROM accounts_user WHERE username = 'approver') "
        f"WHERE step = 'review' AND statement_id = {statement('LS01', '2026-01')}",
        "'LS01 2026-01'",
    ),
    Damage(
        "three_approvals", "a step over other figures",
        "UPDATE vouchers_approval SET digest = repeat('0', 64) "
        f"WHERE step = 'confirm' AND statement_id = {statement('LS01', '2026-03')}",
        "'LS01 2026-03'",
    ),
    Damage(
        "statement_posted", "a fen of offset changed in the journal",
        "UPDATE ledger_transfer SET amount = amount + 0.01 WHERE line = 3 AND entry_id = "
        f"(SELECT entry_id FROM vouchers_statement WHERE id = {statement('LS01', '2026-02')})",
        f"'entry ' || (SELECT entry_id FROM vouchers_statement WHERE id = {statement('LS01', '2026-02')})",
    ),
    Damage(
        "statement_posted", "an approved statement without an entry",
        f"UPDATE vouchers_statement SET entry_id = NULL WHERE id = {statement('LS01', '2026-02')}",
        "'entry missing'",
    ),
    Damage(
        "rent_charged", "a charge of another amount",
        "UPDATE providers_rentcharge SET charge = charge + 1, cash_due = cash_due + 1 "
        "WHERE id = (SELECT min(id) FROM providers_rentcharge)",
        "(SELECT l.code || ' ' || to_char(month, 'YYYY-MM') FROM providers_rentcharge r "
        "JOIN providers_lease l ON l.id = r.lease_id WHERE r.id = (SELECT min(id) FROM providers_rentcharge))",
    ),
    Damage(
        "rent_charged", "a charge that nobody approved",
        "INSERT INTO providers_rentcharge (lease_id, month, charge, applied, cash_due) "
        "SELECT id, '2026-03-01', 1, 0, 1 FROM providers_lease WHERE code = 'LS01'",
        "'LS01 2026-03'",
    ),
    Damage(
        "months_in_order", "an approval taken back after the month was locked",
        f"UPDATE vouchers_statement SET state = 'reviewed' WHERE id = {statement('LS02', '2026-02')}",
        "'LS02 2026-02'",
    ),
    Damage(
        "locked_months_stated", "a statement removed",
        f"DELETE FROM vouchers_statement WHERE id = {statement('LS02', '2026-02')}",
        "'LS02 2026-02'",
    ),
    Damage(
        "locked_months_stated", "the lapse of an ended lease forgotten",
        f"DELETE FROM vouchers_statement WHERE id = {statement('LS03', '2026-02')}",
        "'LS03 2026-02'",
    ),
    Damage(
        "claims_stand_rightly", "a claim on another lease's statement",
        f"UPDATE vouchers_claim SET statement_id = {statement('LS02', '2026-01')} "
        f"WHERE redemption_id = {redemption('zhang-meal')}",
        number("zhang-meal"),
    ),
    Damage(
        "claims_stand_rightly", "a claim taken back by the statement it stands on",
        f"UPDATE vouchers_claim SET taken_back_id = statement_id WHERE redemption_id = {redemption('li-meal')}",
        number("li-meal"),
    ),
    Damage(
        "nothing_forgotten", "a claim taken off its statement, to be offset again",
        f"UPDATE vouchers_claim SET statement_id = NULL WHERE redemption_id = {redemption('zhang-meal')}",
        number("zhang-meal"),
    ),
    Damage(
        "reversals_taken_back", "a reversal of January that February did not take back",
        f"UPDATE vouchers_claim SET taken_back_id = NULL WHERE redemption_id = {redemption('li-meal')}; "
        "UPDATE ledger_entry SET dated_on = '2026-01-31' WHERE id = (SELECT entry_id FROM vouchers_reversal "
        f"WHERE redemption_id = {redemption('li-meal')})",
        number("li-meal"),
    ),
    Damage(
        "receivable", "a receipt moved to another lease",
        "UPDATE providers_receipt SET lease_id = (SELECT id FROM providers_lease WHERE code = 'LS02') "
        "WHERE state = 'matched'",
        "'LS02'",
    ),
    Damage(
        "carry_is_balance", "more carried than the account holds",
        "UPDATE vouchers_statement SET carry_out = carry_out + 0.01, applied = applied - 0.01 "
        f"WHERE id = {statement('LS02', '2026-02')}",
        "'LS02'",
    ),
    Damage(
        "bank_line_posted", "a bank line of another amount",
        f"UPDATE ledger_bankline SET amount = amount + 0.01 WHERE id = {LINE}",
        f"'bank line ' || {LINE}",
    ),
    Damage(
        "bank_line_posted", "a bank line posted the other way round",
        "UPDATE ledger_transfer SET debit_id = credit_id, credit_id = debit_id "
        f"WHERE entry_id = (SELECT entry_id FROM ledger_bankline WHERE id = {LINE})",
        f"'bank line ' || {LINE}",
    ),
    Damage(
        "bank_line_once", "a bank line taken twice",
        "UPDATE ledger_bankline SET fingerprint = (SELECT min(fingerprint) FROM ledger_bankline)",
        "'bank line ' || (SELECT max(id) FROM ledger_bankline)",
    ),
    Damage(
        "receipt_parts", "a receipt called split that has no parts",
        f"UPDATE providers_receipt SET state = 'split', lease_id = NULL WHERE bank_line_id = {LINE}",
        f"'bank line ' || {LINE}",
    ),
    Damage(
        "suspense", "money in suspense that somebody called matched",
        "UPDATE providers_receipt SET state = 'matched', lease_id = (SELECT min(id) FROM providers_lease) "
        "WHERE state = 'suspense'",
        "'Liabilities:Suspense:Receipts'",
    ),
    Damage(
        "sealed_as_it_was", "a link of the chain without its entry",
        "INSERT INTO ledger_link (number, kind, ref, content, hash, sealed_at) "
        "VALUES (1, 'entry', 0, repeat('0', 64), repeat('0', 64), now())",
        "'entry 0 gone'",
    ),
    Damage(
        "payout_lines", "a list approved without its lines",
        payout(government="4", total="4", to_pay="4"),
        "'BF-OP01-202601'",
    ),
    Damage(
        "payout_line_as_redeemed", "another operator's meal on the list",
        payout(government="4", total="4", to_pay="4") + "; INSERT INTO vouchers_payoutline (payout_id, redemption_id, "
        f"part, taken_back, amount) SELECT max(id), {redemption('wang-bare')}, 'government', false, 4 FROM vouchers_payout",
        "'BF-OP01-202601'",
    ),
    Damage(
        "payout_carried", "a carry that no list before it left",
        payout(carry_in="-4", total="-4", carry_out="-4"),
        "'BF-OP01-202601'",
    ),
    Damage(
        "payments_add_up", "a line called paid that paid nothing",
        f"UPDATE providers_receipt SET state = 'paid' WHERE bank_line_id = {OUT}",
        f"'bank line ' || {OUT}",
    ),
    Damage(
        "paid_as_bank_lines_paid", "a list called paid that no line paid",
        payout(government="4", total="4", to_pay="4") + "; UPDATE vouchers_payout SET paid = 4",
        "'BF-OP01-202601'",
    ),
    Damage(
        "paid_as_bank_lines_paid", "a part paid twice of what was approved once",
        payout(government="4", total="4", to_pay="4") + "; INSERT INTO vouchers_payoutpayment (receipt_id, payout_id, "
        f"amount) SELECT r.id, p.id, 12 FROM providers_receipt r, vouchers_payout p WHERE r.bank_line_id = {OUT}; "
        f"UPDATE providers_receipt SET state = 'paid' WHERE bank_line_id = {OUT}; UPDATE vouchers_payout SET paid = 12",
        "'BF-OP01-202601'",
    ),
    Damage(
        "receipt_goes_its_way", "money that went out, called interest",
        f"UPDATE providers_receipt SET state = 'interest' WHERE bank_line_id = {OUT}",
        f"'bank line ' || {OUT}",
    ),
    Damage(
        "accounts_as_documents", "a fee that was never booked as one",
        f"UPDATE providers_receipt SET state = 'fee' WHERE bank_line_id = {OUT}",
        "'bank_fees without an account'",
    ),
    Damage(
        "returned_in_pairs", "a line that came back from nowhere",
        f"UPDATE providers_receipt SET state = 'returned' WHERE bank_line_id = {OUT}",
        f"'bank line ' || {OUT}",
    ),
    Damage(
        "returned_in_pairs", "a pair of two sums",
        "UPDATE providers_receipt SET state = 'returned', lease_id = NULL WHERE state = 'suspense'; "
        "INSERT INTO providers_returned (came_id, went_id) SELECT a.id, b.id FROM providers_receipt a, providers_receipt b "
        f"WHERE a.state = 'returned' AND b.state = 'returned' AND a.bank_line_id <> {OUT} AND b.bank_line_id = {OUT}",
        f"'bank line ' || {OUT}",
    ),
    Damage(
        "donation_is_its_bank_line", "a line given to the fund by nobody",
        f"UPDATE providers_receipt SET state = 'fund', lease_id = NULL WHERE bank_line_id = {LINE}",
        f"'bank line ' || {LINE}",
    ),
    Damage(
        "handover_lines", "a sum handed over that comes from no lease",
        "INSERT INTO providers_owner (code, name, kind) VALUES ('OW0001', '湖城机关事务管理中心', 'government'); "
        "INSERT INTO providers_handover (number, code, until_on, amount, treasury_no, state, drawn_by, drawn_at, "
        "approved_by, paid, owner_id) SELECT 'JK-OW0001-202603', 'x', '2026-03-31', 40, '', 'draft', 'clerk', now(), '', 0, id "
        "FROM providers_owner",
        "'JK-OW0001-202603'",
    ),
    Damage(
        "accounts_as_documents", "a fen paid out of the fund behind everybody's back",
        "INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link) "
        "VALUES ('quietly', 'adjustment', '2026-03-31', '2026-03-31', ''); "
        "INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount) "
        f"SELECT max(id), 1, {account('Liabilities:Fund:Charity')}, {account('Liabilities:Payable:OP01')}, "
        "'CNY', 0.01 FROM ledger_entry",
        "'Liabilities:Payable:OP01'",
    ),
    Damage(
        "accounts_as_documents", "a bank line removed",
        f"DELETE FROM ledger_bankline WHERE id = {LINE}",
        "'Assets:Bank:Rent'",
    ),
    Damage(
        "chart_complete", "money in an account of nobody's",
        "INSERT INTO ledger_account (name, commodity) VALUES ('Assets:Elsewhere', 'CNY'); "
        "INSERT INTO ledger_entry (key, kind, dated_on, recorded_at, link) "
        "VALUES ('quietly', 'adjustment', '2026-03-31', '2026-03-31', ''); "
        "INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount) "
        f"SELECT max(id), 1, {account('Assets:Elsewhere')}, {account('Assets:Bank:Rent')}, "
        "'CNY', 1 FROM ledger_entry",
        "'Assets:Elsewhere'",
    ),
]  # fmt: skip


def plant(cursor: CursorWrapper, sql: str) -> int:
    """Run the statements of `sql`; how many rows the last one touched."""
    for one in sql.split("; "):
        cursor.execute(one)
        assert cursor.rowcount, "the damage must be there"
    return cursor.rowcount


def asked(cursor: CursorWrapper, expression: str) -> str:
    cursor.execute(f"SELECT {expression}")
    return cursor.fetchone()[0]


def test_the_story_is_sound(story_db):
    assert violated() == {}


def test_control_the_story_without_protection_is_sound(bare):
    assert violated() == {}


def test_an_empty_database_is_sound(db):
    assert violated() == {}
    assert len(prove()) == len(INVARIANTS)  # a second time in the same transaction


def test_every_invariant_can_fail():
    assert {damage.invariant for damage in DAMAGES} == {invariant.name for invariant in INVARIANTS}
    assert len(INVARIANTS) == len({invariant.name for invariant in INVARIANTS})


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: f"{damage.invariant}: {damage.what}")
def test_damage_is_found_by_its_invariant(bare, damage):
    before = asked(bare, damage.subject)
    plant(bare, damage.sql)
    found = violated()
    assert damage.invariant in found, found
    assert {before, asked(bare, damage.subject)} & set(found[damage.invariant]), found


def test_the_command_prints_every_invariant(story_db):
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == len(INVARIANTS) + 1
    assert all(line.split()[0] == "0" for line in lines[:-1])


def test_the_command_refuses_and_tells_no_names(bare):
    plant(bare, "UPDATE vouchers_voucher SET remaining = remaining - 0.01")
    out = StringIO()
    with pytest.raises(Refused):
        call_command("verify_ledger", stdout=out)
    text = out.getvalue()
    assert "[voucher_history]" in text and "PA-0000000" in text and "..." in text
    for elder in Elder.objects.all():
        assert elder.name not in text and elder.id_number() not in text and elder.phone() not in text


def test_examples_are_few_and_counts_whole(bare):
    vouchers = plant(bare, "UPDATE vouchers_voucher SET remaining = remaining - 0.01")
    (history,) = [one for one in prove() if one.name == "voucher_history"]
    assert history.violations == vouchers and len(history.examples) == EXAMPLES


def test_the_proof_sees_one_instant_and_changes_nothing(story_db):
    """A redemption that commits in the middle is in none of it; the proof leaves no table behind."""
    steps = []

    def meanwhile(done, total, what):
        steps.append(what)
        if done == 5:
            with databases.superuser(story_db) as server:
                server.execute("INSERT INTO vouchers_holdline SELECT id, 1, 1 FROM vouchers_hold LIMIT 1")

    assert [one for one in prove(meanwhile) if one.violations] == []
    assert "voucher_held_by_orders" in steps[6:]
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.proof_account')")
        assert cursor.fetchone() == (None,)
    assert "orders_settled" in violated()  # the control: the change is there and is seen


def test_the_proof_holds_while_a_story_goes_on(db):
    """After each step of the story, not only at its end."""
    with transaction.atomic():
        story.town()
        assert violated() == {}
        story.january()
        assert violated() == {}
        story.february()
        assert violated() == {}
