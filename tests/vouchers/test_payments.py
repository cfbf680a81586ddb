"""Payout lists, donations, refunds and handings over: each paid by the bank's own lines (rules.md section 8)."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ledger.journal.queries import balances
from ledger.models import Record
from providers.handover.operations import CannotHandOver, decide_handover, draw_up_handover, waiting
from providers.leases.refunds import CannotRefund, decide_refund, draw_up_refund, overpaid
from providers.leases.suspense import CannotMatch, book, match_by_hand, part, release
from providers.models import Handover, Lease, Receipt, Refund
from tests import payments, story, threads
from tests.payments import approve, by, draw, give, line, payees, step
from tests.story import FEBRUARY, JANUARY, MARCH, day, moment, yuan
from vouchers.funds.operations import CannotBudget, fund_balance, set_budget, undo_donation, uses
from vouchers.models import Payout, PayoutLine, Redemption
from vouchers.payments.operations import dues, pair_returned, pay, pay_what_bears_numbers, take_back
from vouchers.payouts.operations import CannotPayOut, set_payee
from vouchers.payouts.queries import PARTS, Pending
from vouchers.proof.balances import domain_balances
from vouchers.proof.queries import prove


def holds(account: str) -> Decimal:
    return balances().get(account, Decimal("0.00"))


def sound() -> None:
    """Nothing of section 9 is violated, and the journal says what the documents say."""
    assert [(one.name, one.examples) for one in prove() if one.violations] == []
    told = {name: amount for name, amount in domain_balances().items() if amount}
    assert told == balances()


def test_three_months_are_paid_out_as_they_were_served(story_db):
    """January as served; February without what is held back, and less what was reversed; March with the rest."""
    payees()
    give(100)
    january = draw()
    counted = Redemption.objects.filter(service_on__lt=day("2026-02-01"), reversed_on=None)
    assert sum(one.government for one in january.values()) == sum(r.government for r in counted)
    assert sum(one.charity for one in january.values()) == sum(r.charity for r in counted)
    assert all(one.held_back == 0 and one.reversed == 0 for one in january.values())
    for one in january.values():
        assert approve(one).state == "approved"
    assert draw() == january or [one.pk for one in draw().values()] == [one.pk for one in january.values()]
    sound()

    story.reverse("zhang-meal", "2026-04-02 12:00")  # paid out in January, reversed since
    february = draw(FEBRUARY)
    crane = february["OP01"]
    assert crane.reversed == yuan(5) and crane.under_review == 1  # the meal of the dead waits: sun-paid-out
    assert crane.vouchers == 0  # its 30 are held back, and not paid out
    story.decide("sun-paid-out", release=True, at="2026-04-02 13:00")
    with pytest.raises(CannotPayOut) as refusal:
        step(crane, "confirm", "manager-op01")
    assert refusal.value.code == "statement_changed"
    crane = Payout.objects.get(pk=crane.pk)
    assert (crane.vouchers, crane.under_review) == (yuan(30), 0)
    for one in february.values():
        approve(one)
    for one in draw(MARCH).values():
        approve(one)
    sound()
    owed = {code: -holds(f"Liabilities:Payable:{code}") for code in ("OP01", "OP02")}
    listed = {
        code: sum(one.to_pay + one.carry_out for one in Payout.objects.filter(operator__code=code))
        for code in owed
    }
    assert listed == owed  # nothing is owed that stands on no list
    assert not PayoutLine.objects.filter(redemption__key="qian-meal-2").exists()  # rejected: never paid


def test_a_list_is_three_peoples_and_what_changed_is_looked_at_again(story_db):
    payees()
    give(100)
    crane = draw()["OP01"]
    with pytest.raises(CannotPayOut) as refusal:
        step(crane, "confirm", "manager-op02")
    assert refusal.value.code == "wrong_role"
    step(crane, "confirm", "clerk")  # the operator's signed paper
    assert crane.approvals.get().on_paper
    with pytest.raises(CannotPayOut) as refusal:
        step(crane, "review", "officer-west")  # serves in the east only
    assert refusal.value.code == "wrong_role"
    step(crane, "review", "officer-east")
    # Another account: whoever approves must have seen it.
    set_payee(operator=crane.operator, holder="别人", number="6222999", bank="别处", **by())
    with pytest.raises(CannotPayOut) as refusal:
        step(crane, "approve", "approver")
    assert refusal.value.code == "statement_changed"
    crane = Payout.objects.get(pk=crane.pk)
    assert (crane.state, crane.round, crane.payee["holder"]) == ("draft", 2, "别人")
    seen = crane.digest
    approve(crane)
    with pytest.raises(CannotPayOut) as refusal:
        step(crane, "approve", "approver", seen="-")
    assert refusal.value.code == "wrong_step"
    step(crane, "approve", "approver", seen=seen)  # pressed twice: done once
    with pytest.raises(Exception, match=r"written once"), transaction.atomic():
        Payout.objects.filter(pk=crane.pk).update(payee={"holder": "somebody else"})
    with pytest.raises(CannotPayOut) as refusal:
        draw(MARCH)
    assert refusal.value.code == "earlier_open"  # OP02's January waits
    with pytest.raises(CannotPayOut) as refusal:
        draw(day("2026-04-01"))
    assert refusal.value.code == "month_running"


def test_lines_that_would_stand_are_ordered_and_cut_by_the_database(story_db):
    """What the page cuts is what the list adds up; a page of it reads no more than itself."""
    payees()
    give(100)
    for one in draw().values():
        approve(one)
    story.reverse("zhang-meal", "2026-04-02 12:00")
    taken_back = 0
    for one in draw(FEBRUARY).values():
        lines = Pending(one.operator_id, FEBRUARY, parts=PARTS)
        whole = list(lines)
        signed = sum(-amount if back else amount for _pk, _part, back, amount in whole)
        assert signed == one.total - one.carry_in and len(whole) == len(lines)
        days = dict(Redemption.objects.values_list("pk", "service_on"))
        assert [days[row[0]] for row in whole] == sorted(days[row[0]] for row in whole)
        assert lines[1:3] == whole[1:3] and list(lines.ordered(down=True)) == whole[::-1]
        taken_back += sum(row[2] for row in whole)
        put = {(row[0], row[1], row[2]): row[3] for row in whole}
        approved = approve(one)
        assert put == {
            (line.redemption_id, line.part, line.taken_back): line.amount for line in approved.lines.all()
        }
        assert len(Pending(one.operator_id, FEBRUARY, parts=PARTS)) == 0
    assert taken_back > 0  # control: both kinds were met


def test_nobody_is_paid_without_an_account(story_db):
    give(100)
    ginkgo = draw()["OP02"]
    with pytest.raises(CannotPayOut) as refusal:
        approve(ginkgo)
    assert refusal.value.code == "no_payee" and not PayoutLine.objects.exists()


def test_an_overdrawn_fund_blocks_the_charity_part_until_it_is_made_good(story_db):
    payees()
    assert fund_balance() < 0  # control: nobody has given anything
    january = draw()
    assert all(one.charity == 0 and one.held_back > 0 for one in january.values())
    before = {code: one.held_back for code, one in january.items()}
    receipt = give(100)
    assert fund_balance() > 0
    again = draw()
    assert {code: one.charity for code, one in again.items()} == before
    for one in again.values():
        approve(one)
    sound()
    undo_donation(receipt=receipt, reason="returned by the bank", **by())
    assert fund_balance() < 0
    february = draw(FEBRUARY)
    assert all(one.charity == 0 for one in february.values())
    sound()


def test_a_budget_warns_before_it_is_used_up(story_db):
    used = sum(r.charity for r in Redemption.objects.filter(service_on__lt=FEBRUARY, reversed_on=None))
    for amount, expected in ((used * 10, "fine"), (used * Decimal("1.1"), "low"), (used, "exhausted")):
        set_budget(
            starts_on=JANUARY,
            ends_on=day("2026-01-31"),
            amount=amount,
            reason="2026 年预算",
            **by("approver"),
        )
        [use] = uses()  # the last one over the same days counts
        assert (use.used, use.state) == (used, expected)
    assert uses()[0].state == "exhausted"
    with CaptureQueriesContext(connection) as one_budget:
        uses()
    set_budget(
        starts_on=FEBRUARY, ends_on=day("2026-02-28"), amount=used, reason="二月预算", **by("approver")
    )
    with CaptureQueriesContext(connection) as two_budgets:
        assert [use.used for use in uses()][1] == used
    assert len(two_budgets) == len(one_budget)  # the redemptions are read once for all budgets
    with pytest.raises(CannotBudget):
        set_budget(starts_on=JANUARY, ends_on=JANUARY, amount=yuan(1), reason="x", **by("clerk"))


def test_bank_lines_pay_lists_by_number_or_by_hand(story_db):
    payees()
    give(100)
    lists = {code: approve(one) for code, one in draw().items()}
    crane, ginkgo = lists["OP01"], lists["OP02"]
    payable = holds("Liabilities:Payable:OP01")
    by_number = line("2026-04-03 09:00", crane.to_pay, summary=f"拨付{crane.number}", payer="松鹤")
    wrong_sum = line("2026-04-03 09:30", ginkgo.to_pay + 1, summary=ginkgo.number)
    assert pay_what_bears_numbers(by="import", at=moment("2026-04-03 10:00")) == 1
    assert pay_what_bears_numbers(by="import", at=moment("2026-04-03 10:00")) == 0
    by_number.refresh_from_db()
    wrong_sum.refresh_from_db()
    assert (by_number.state, wrong_sum.state) == ("paid", "suspense")
    assert holds("Liabilities:Payable:OP01") == payable + crane.to_pay
    sound()
    assert [due.number for due in dues()] == [ginkgo.number]
    with pytest.raises(CannotMatch) as refusal:
        pay(receipt=wrong_sum, numbers=[ginkgo.number], **by())
    assert refusal.value.code == "does_not_add_up"
    with pytest.raises(CannotMatch) as refusal:
        pay(receipt=wrong_sum, numbers=[crane.number], **by())
    assert refusal.value.code == "not_payable"  # paid already
    with pytest.raises(CannotMatch) as refusal:
        match_by_hand(receipt=by_number, parts=[(Lease.objects.get(code="LS01"), crane.to_pay)], **by())
    assert refusal.value.code == "outgoing"

    take_back(receipt=by_number, reason="the bank sent it back", **by())
    assert pay_what_bears_numbers(by="import", at=moment("2026-04-03 12:00")) == 0  # a person's word stands
    assert holds("Liabilities:Payable:OP01") == payable
    sound()
    together = line("2026-04-04 09:00", crane.to_pay + ginkgo.to_pay, summary="批量代发")
    story.user("clerk2", "bureau_clerk")
    answers = threads.at_once(
        [
            lambda name=name: pay(receipt=together, numbers=[crane.number, ginkgo.number], **by(name))
            for name in ("clerk", "clerk2")
        ]
    )
    assert sorted(isinstance(one, Receipt) for one in answers) == [False, True]  # two at once: paid once
    assert dues() == []
    sound()


def code_of(call, **arguments) -> str:
    with pytest.raises((CannotMatch, CannotHandOver, CannotRefund)) as refusal:
        call(**arguments)
    return refusal.value.code


def test_several_lines_pay_one_list_and_it_is_paid_when_they_are_all_of_it(story_db):
    payees()
    give(100)
    crane = approve(draw()["OP01"])
    payable, whole = holds("Liabilities:Payable:OP01"), crane.to_pay
    first = line("2026-04-03 09:00", 1, summary="代发第一笔")
    ask = {"receipt": first, "numbers": [crane.number]}
    assert code_of(pay, **ask, **by()) == "does_not_add_up"  # a part is said to be one
    for told, code in ((whole + 1, "too_much"), (yuan(2), "does_not_add_up"), (yuan(0), "does_not_add_up")):
        assert code_of(pay, **ask, amounts={crane.number: told}, **by()) == code
    pay(**ask, amounts={crane.number: yuan(1)}, **by())
    [left] = dues()
    assert (left.amount, left.whole, left.in_part) == (whole - 1, whole, True)
    assert holds("Liabilities:Payable:OP01") == payable + 1
    sound()

    rest = [line(f"2026-04-04 1{n}:00", whole - 1, summary="代发第二笔") for n in range(2)]
    answers = threads.at_once(
        [lambda one=one: pay(receipt=one, numbers=[crane.number], **by()) for one in rest]
    )
    assert sorted(isinstance(one, Receipt) for one in answers) == [False, True]  # nobody is paid twice
    assert Payout.objects.get(pk=crane.pk).left == 0 and dues() == []
    sound()
    with pytest.raises(IntegrityError, match="payout_paid_once_approved"), transaction.atomic():
        Payout.objects.filter(pk=crane.pk).update(paid=whole + 1)

    take_back(receipt=first, reason="the bank sent it back", **by())
    assert [due.amount for due in dues()] == [yuan(1)]
    sound()
    last = line("2026-04-05 09:00", 1, summary=f"补付 {crane.number}")
    assert (
        pay_what_bears_numbers(by="import", at=moment("2026-04-05 10:00")) == 1
    )  # the very sum of what is left
    assert [one.receipt for one in Payout.objects.get(pk=crane.pk).payments.all()][-1] == last
    assert holds("Liabilities:Payable:OP01") == payable + whole
    sound()


def test_a_refund_and_a_sum_handed_over_may_be_paid_in_parts_and_then_stand(story_db):
    ls03 = Lease.objects.get(code="LS03")
    line("2026-03-20 09:00", 70, out=False, summary="LS03 房租")
    refund = draw_up_refund(lease=ls03, amount=yuan(20), reason="租约终止多缴", **by())
    decide_refund(refund=refund, approve=True, **by("approver"))
    until = day("2026-03-31")
    handover = draw_up_handover(name="湖城机关事务管理中心", kind="government", until=until, **by())
    decide_handover(handover=handover, approve=True, treasury_no="湖财 1", **by("approver"))
    half = line("2026-04-03 09:00", 12, summary="退款、上缴各一部分")
    parts = {refund.number: yuan(5), handover.number: yuan(7)}
    pay(receipt=half, numbers=list(parts), amounts=parts, **by())  # one line, parts of two
    refund.refresh_from_db()
    handover.refresh_from_db()
    assert (refund.state, refund.left, handover.state, handover.left) == (
        "approved", yuan(15), "approved", handover.amount - 7,
    )  # fmt: skip
    assert code_of(decide_refund, refund=refund, approve=False, **by()) == "part_paid"
    assert code_of(decide_handover, handover=handover, approve=False, **by()) == "part_paid"
    assert holds("Assets:HandedOver:OW0001") == 7 and holds("Assets:Receivable:Rent:LS03") == -15
    sound()
    line("2026-04-03 10:00", 15, summary=refund.number)
    line("2026-04-03 11:00", handover.amount - 7, summary=handover.number)
    assert pay_what_bears_numbers(by="import", at=moment("2026-04-04 10:00")) == 2
    assert (Refund.objects.get().state, Handover.objects.get().state) == ("paid", "paid")
    sound()
    take_back(receipt=half, reason="returned", **by())
    assert (Refund.objects.get().state, Handover.objects.get().state) == ("approved", "approved")
    sound()


def test_the_banks_own_fee_and_interest_leave_suspense(story_db):
    fee = line("2026-04-01 09:00", 15, summary="手续费")
    interest = line("2026-04-01 10:00", "3.21", out=False, summary="结息")
    before = holds("Assets:Suspense:Payments"), holds("Liabilities:Suspense:Receipts")
    book(receipt=fee, own="fee", **by())
    book(receipt=interest, own="interest", **by())
    assert (holds("Expenses:Bank:Fees"), holds("Income:Bank:Interest")) == (yuan(15), -yuan("3.21"))
    assert holds("Assets:Suspense:Payments") == before[0] - 15
    assert holds("Liabilities:Suspense:Receipts") == before[1] + yuan("3.21")
    sound()
    assert code_of(book, receipt=fee, own="fee", **by()) == "moved_on"  # pressed twice
    release(receipt=fee, reason="it was a transfer", **by())
    assert code_of(release, receipt=fee, reason="pressed twice", **by()) == "moved_on"
    assert holds("Expenses:Bank:Fees") == 0
    sound()
    assert code_of(book, receipt=fee, own="interest", **by()) == "outgoing"
    assert code_of(book, receipt=fee, own="fee", **by("approver")) == "wrong_role"
    release(receipt=interest, reason="a gift", **by())
    assert code_of(book, receipt=interest, own="fee", **by()) == "incoming"
    sound()


def test_a_transfer_that_came_back_undoes_the_payment_and_leaves_nothing_in_suspense(story_db):
    payees()
    give(100)
    crane = approve(draw()["OP01"])
    suspense = holds("Assets:Suspense:Payments"), holds("Liabilities:Suspense:Receipts")
    went = line("2026-04-03 09:00", crane.to_pay, summary=crane.number)
    assert pay_what_bears_numbers(by="import", at=moment("2026-04-03 10:00")) == 1
    came = line("2026-04-06 09:00", crane.to_pay, out=False, summary="退汇", payer="松鹤")
    other = line("2026-04-06 10:00", crane.to_pay + 1, out=False, summary="退汇")
    for wrong in (other, came):
        assert code_of(pair_returned, receipt=came, other=wrong, reason="退汇", **by()) == "no_pair"
    assert code_of(pair_returned, receipt=other, other=went, reason="退汇", **by()) == "no_pair"
    assert code_of(pair_returned, receipt=came, other=went, reason="退汇", **by("approver")) == "wrong_role"
    story.user("clerk2", "bureau_clerk")
    answers = threads.at_once(
        [
            lambda: pair_returned(receipt=came, other=went, reason="账号有误", **by()),
            lambda: pair_returned(receipt=went, other=came, reason="账号有误", **by("clerk2")),
        ]
    )
    assert sorted(isinstance(one, Receipt) for one in answers) == [
        False,
        True,
    ]  # at once, from either side: once
    assert [due.number for due in dues()] == [crane.number]  # waits to be paid again
    now = holds("Assets:Suspense:Payments"), holds("Liabilities:Suspense:Receipts")
    assert now == (suspense[0], suspense[1] - (crane.to_pay + 1))  # nothing of the pair
    entry = came.decisions.get(action="return").entry
    assert entry and str(entry.dated_on) == "2026-04-06"  # the later day, whichever line came first
    assert [one.action for one in went.decisions.all()] == ["pay", "release", "return"]
    sound()
    part(receipt=went, reason="another line brought it back", **by())
    assert code_of(part, receipt=came, reason="pressed twice", **by()) == "moved_on"
    assert {Receipt.objects.get(pk=one.pk).state for one in (came, went)} == {"suspense"}
    sound()
    # Somebody who owes nothing is sent the money back: the same pair, found from the line that went.
    stranger = line("2026-04-07 09:00", 88, out=False, payer="路人丙")
    back = line("2026-04-08 09:00", 88, summary="退回误汇")
    pair_returned(receipt=back, other=stranger, reason="汇错了", **by())
    assert (
        code_of(match_by_hand, receipt=stranger, parts=[(Lease.objects.get(code="LS01"), yuan(88))], **by())
        == "moved_on"
    )
    sound()


def test_what_an_ended_lease_paid_too_much_is_refunded_once(story_db):
    """LS03 ended on 31 January owing 50 and paid 70: 20 go back, by two people and one bank line."""
    ls03 = Lease.objects.get(code="LS03")
    due = sum(ls03.rent_charges.values_list("cash_due", flat=True))
    line("2026-03-20 09:00", due + 20, out=False, summary="LS03 房租", payer="银杏社区照护中心")
    line("2026-03-20 10:00", 500, out=False, summary="LS01 预付")  # a running lease: counts for what comes
    found = {
        one.lease.code: (one.amount, one.refusal and one.refusal.code) for one in overpaid(day("2026-04-02"))
    }
    assert found["LS03"] == (yuan(20), None) and found["LS01"][1] == "still_running"
    for amount, lease, code in ((21, "LS03", "too_much"), (1, "LS01", "still_running")):
        with pytest.raises(CannotRefund) as refusal:
            draw_up_refund(lease=Lease.objects.get(code=lease), amount=yuan(amount), reason="多缴", **by())
        assert refusal.value.code == code
    refund = draw_up_refund(lease=ls03, amount=yuan(20), reason="租约已终止，多缴租金", **by())
    with pytest.raises(CannotRefund) as refusal:
        draw_up_refund(lease=ls03, amount=yuan(1), reason="再退一次", **by())
    assert refusal.value.code == "not_overpaid"
    with pytest.raises(CannotRefund) as refusal:
        decide_refund(refund=refund, approve=True, **by())
    assert refusal.value.code == "wrong_role"
    decide_refund(refund=refund, approve=True, **by("approver"))
    assert holds("Assets:Receivable:Rent:LS03") == -20  # nothing is posted before the bank has paid
    receipt = line("2026-04-03 09:00", 20, summary=f"退款 {refund.number}")
    assert pay_what_bears_numbers(by="import", at=moment("2026-04-03 10:00")) == 1
    assert holds("Assets:Receivable:Rent:LS03") == 0
    assert Refund.objects.get().state == "paid" and list(
        Refund.objects.get().payments.get().receipt.decisions.all()
    )
    sound()
    take_back(receipt=Receipt.objects.get(pk=receipt.pk), reason="account closed", **by())
    decide_refund(refund=refund, approve=False, **by("approver"))
    assert {one.lease.code for one in overpaid(day("2026-04-02"))} >= {"LS03"}  # may be drawn up again
    assert draw_up_refund(lease=ls03, amount=yuan(20), reason="换账户", **by()).number == "TK-LS03-002"
    sound()


def test_any_number_of_overpaid_leases_is_found_by_the_same_questions(story_db):
    """LS03's operator overpays one ended lease, then five more."""

    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            return len(list(overpaid(day("2026-04-02")))), len(queries)

    line("2026-03-20 09:00", 900, out=False, summary="LS03 房租")
    one, few = asked()
    ls03 = Lease.objects.get(code="LS03")
    for n in range(5):
        code = f"LS1{n}"
        place = story.premises(f"PM1{n}", ls03.premises.division)
        story.lease(code, place, ls03.operator, ends_on="2026-01-31")
        line("2026-03-21 09:00", 10, out=False, summary=f"{code} 房租")
    assert asked() == (one + 5, few) and one == 1
    # Those whose last month is not posted may not be given back yet; LS03's is.
    assert [row.refusal and row.refusal.code for row in overpaid(day("2026-04-02"))] == [
        None, *["not_settled"] * 5,
    ]  # fmt: skip


def test_rent_is_handed_over_by_owner(story_db):
    """40 came for LS01 in March; the treasury gets them once, with its number, and keeps owners apart."""
    place = Lease.objects.get(code="LS02").premises
    place.owner, place.owner_kind = "东湖村集体", "village_collective"
    place.save()
    line("2026-03-21 09:00", 25, out=False, summary="LS02 房租")
    until = day("2026-03-31")
    found = {one.name: one.lines for one in waiting(until)}
    assert found == {"湖城机关事务管理中心": {"LS01": yuan(40)}, "东湖村集体": {"LS02": yuan(25)}}
    public = {"name": "湖城机关事务管理中心", "kind": "government", "until": until}
    with pytest.raises(CannotHandOver) as refusal:
        draw_up_handover(**{**public, "until": day("2026-04-02")}, **by())
    assert refusal.value.code == "too_early"
    handover = draw_up_handover(**public, **by())
    assert (handover.number, handover.amount) == ("JK-OW0001-202603", yuan(40))
    with pytest.raises(CannotHandOver) as refusal:
        decide_handover(handover=handover, approve=True, **by("approver"))
    assert refusal.value.code == "no_treasury_no"
    decide_handover(handover=handover, approve=True, treasury_no="湖财 2026-0417", **by("approver"))
    line("2026-04-03 09:00", 40, summary=f"上缴 {handover.number}")
    assert pay_what_bears_numbers(by="import", at=moment("2026-04-03 10:00")) == 1
    assert Handover.objects.get().state == "paid"
    assert holds("Assets:HandedOver:OW0001") == 40
    sound()
    with pytest.raises(CannotHandOver) as refusal:
        draw_up_handover(**public, **by())
    assert refusal.value.code == "nothing"
    village = draw_up_handover(name="东湖村集体", kind="village_collective", until=until, **by())
    decide_handover(handover=village, approve=True, **by("approver"))  # no public revenue: no number
    assert village.number == "JK-OW0002-202603"
    sound()
    assert Record.objects.filter(action="approve_handover").count() == 2


def test_a_month_of_everything_is_sound(story_db):
    payments.tell()
    sound()
