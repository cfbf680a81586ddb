"""What a clerk decides about bank lines: confirm, decline, match, split, release (rules.md section 8)."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from ledger.journal.queries import balances
from ledger.models import Entry
from providers.leases import suspense
from providers.leases.arrears import arrears
from providers.leases.receipts import Dues, preview_bank
from providers.models import Lease, Receipt, ReceiptDecision
from tests import story, threads
from tests.story import bank_line, day, moment, yuan
from vouchers.proof.queries import prove

AT = moment("2026-03-10 10:00")
PAYER = "银杏社区照护中心"


@pytest.fixture
def lines(story_db) -> dict[str, Receipt]:
    """The story's bank lines: one matched to LS01, one proposed for LS03's January, one unknown, one out."""
    return {
        f"{one.bank_line.amount:.0f}": one
        for one in Receipt.objects.select_related("bank_line", "lease").order_by("id")
    }


def by(name: str = "clerk") -> dict:
    return {"by": story.user_named(name), "at": AT}


def standing() -> tuple[Decimal, Decimal, Decimal]:
    """What waits in suspense, and what LS01 and LS03 owe."""
    now = balances()
    names = ("Liabilities:Suspense:Receipts", "Assets:Receivable:Rent:LS01", "Assets:Receivable:Rent:LS03")
    return tuple(now.get(name, Decimal(0)) for name in names)  # type: ignore[return-value]


def sound() -> list[str]:
    return [one.name for one in prove() if one.violations]


def lease(code: str) -> Lease:
    return Lease.objects.get(code=code)


def test_a_proposal_is_confirmed_and_released_again(lines):
    before = standing()
    suspense.confirm(receipt=lines["50"], **by())
    assert standing() == (before[0] + 50, before[1], before[2] - 50) and sound() == []
    with pytest.raises(suspense.CannotMatch, match=r"meanwhile|刚有人处理过"):
        suspense.confirm(receipt=lines["50"], **by())
    suspense.release(receipt=lines["50"], reason="paid by mistake", **by())
    assert standing() == before and sound() == []
    assert [one.action for one in lines["50"].decisions.all()] == ["confirm", "release"]
    entries = Entry.objects.filter(kind="receipt").order_by("id")
    assert [str(one.dated_on) for one in entries] == ["2026-03-05", "2026-03-05"]  # the bank's day


def test_a_declined_proposal_moves_no_money_and_opens_the_due_again(lines):
    before, owed = standing(), {one.lease: one.total for one in arrears(day("2026-03-31"))}
    suspense.decline(receipt=lines["50"], **by())
    assert standing() == before and sound() == []
    now = {one.lease: one.total for one in arrears(day("2026-03-31"))}
    assert now["LS03"] == owed.get("LS03", Decimal(0)) + 50


def test_a_line_is_split_over_leases_to_the_fen(lines):
    parts = [(lease("LS01"), yuan("2.99")), (lease("LS02"), yuan("4.01"))]
    before = standing()
    suspense.match_by_hand(receipt=lines["7"], parts=parts, **by())
    assert standing() == (before[0] + 7, before[1] - yuan("2.99"), before[2]) and sound() == []
    suspense.release(receipt=lines["7"], reason="the payer called", **by())
    assert standing() == before and sound() == []
    suspense.match_by_hand(receipt=lines["7"], parts=[(lease("LS01"), yuan(7))], **by())
    assert Receipt.objects.get(pk=lines["7"].pk).lease == lease("LS01") and sound() == []


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([("LS01", "6.99")], "does_not_add_up"),
        ([("LS01", "3"), ("LS02", "4.01")], "does_not_add_up"),
        ([("LS01", "8"), ("LS02", "-1")], "does_not_add_up"),
        ([], "does_not_add_up"),
        ([("LS01", "3"), ("LS01", "4")], "lease_twice"),
    ],
)
def test_parts_that_do_not_fit_are_refused(lines, parts, code):
    before = (standing(), Entry.objects.count(), ReceiptDecision.objects.count())
    with pytest.raises(suspense.CannotMatch) as refusal:
        suspense.match_by_hand(
            receipt=lines["7"], parts=[(lease(name), yuan(amount)) for name, amount in parts], **by()
        )
    assert refusal.value.code == code
    assert (standing(), Entry.objects.count(), ReceiptDecision.objects.count()) == before


def test_only_a_clerk_decides_and_only_about_what_came_in(lines):
    for name in ("approver", "auditor", "officer", "manager-op01", "administrator"):
        with pytest.raises(suspense.CannotMatch) as refusal:
            suspense.confirm(receipt=lines["50"], **by(name))
        assert refusal.value.code == "wrong_role"
    with pytest.raises(suspense.CannotMatch) as refusal:
        suspense.match_by_hand(receipt=lines["12"], parts=[(lease("LS01"), yuan(12))], **by())
    assert refusal.value.code == "outgoing"


def test_a_decision_is_written_once(lines):
    suspense.confirm(receipt=lines["50"], **by())
    with pytest.raises(Exception, match=r"permission denied|written once"), transaction.atomic():
        ReceiptDecision.objects.update(by="somebody else")


def test_two_clerks_at_once_decide_once(lines):
    story.user("clerk2", "bureau_clerk")
    answers = threads.at_once(
        [
            lambda name=name: suspense.confirm(receipt=lines["50"], **by(name))
            for name in ("clerk", "clerk2", "clerk", "clerk2")
        ]
    )
    refused = [one for one in answers if isinstance(one, suspense.CannotMatch)]
    assert len(refused) == 3 and {one.code for one in refused} == {"moved_on"}
    assert lines["50"].decisions.count() == 1 and sound() == []


def test_a_split_receipt_with_a_wrong_part_is_found_by_the_proof(lines):
    """Control of the invariant; the database itself refuses a part of nothing."""
    suspense.match_by_hand(
        receipt=lines["7"], parts=[(lease("LS01"), yuan(3)), (lease("LS02"), yuan(4))], **by()
    )
    receipt = Receipt.objects.get(pk=lines["7"].pk)
    receipt.parts.filter(lease__code="LS02").update(amount=5)
    assert {"receipt_parts", "receivable"} <= set(sound())
    with pytest.raises(IntegrityError, match="receipt_part_positive"), transaction.atomic():
        receipt.parts.update(amount=0)


def test_a_preview_tells_what_an_import_then_does(lines):
    rows = story.bank_rows(
        bank_line("2026-03-05 10:00", 7, payer="路人"),  # known
        bank_line("2026-03-11 09:00", 30, summary="LS01 三月"),
        bank_line("2026-03-11 09:30", 8, payer="路人甲"),
    )
    before = Receipt.objects.count()
    told, verdicts = preview_bank(rows)
    assert Receipt.objects.count() == before
    assert [(one.repeated, one.state, one.lease) for one in verdicts] == [
        (True, "", None),
        (False, "matched", "LS01"),
        (False, "suspense", None),
    ]
    done = story.import_bank(rows=rows, name="again.csv", layout="icbc", by="test", at=AT)
    assert done == told and (told.new, told.repeated, told.matched, told.unmatched) == (2, 1, 1, 1)


def test_a_line_looks_at_the_dues_of_its_payer_alone_and_at_none_where_a_code_decides(lines, monkeypatch):
    """An import is not lines times dues, and the journal is held meanwhile."""
    looked: list[str] = []
    reckoned = Dues._open
    monkeypatch.setattr(Dues, "_open", lambda dues, code: looked.append(code) or reckoned(dues, code))

    def look(**words: str) -> list[str]:
        looked.clear()
        preview_bank(story.bank_rows(bank_line("2026-03-11 09:00", 8, **words)))
        return sorted(looked)

    assert look(payer="路人") == look(payer=PAYER, summary="LS03 三月") == []
    assert look(payer=PAYER) == ["LS02", "LS03"]  # control: OP02's own
    looked.clear()
    assert len(Dues().open()) > 0 and set(looked) == {"LS01", "LS02", "LS03"}


def test_arrears_by_age(lines):
    """What is open of January is over 30 days old on 31 March, of February not."""
    found = {one.lease: one for one in arrears(day("2026-03-31"))}
    open_dues = {(due.lease, str(due.month)): due.amount for one in found.values() for due in one.dues}
    assert all(one.total == sum(due.amount for due in one.dues) for one in found.values())
    for one in found.values():
        young = sum(
            a for (code, month), a in open_dues.items() if code == one.lease and month == "2026-02-01"
        )
        old = sum(a for (code, month), a in open_dues.items() if code == one.lease and month == "2026-01-01")
        # February ended 31 days before: over 30; January 59 days before: up to 60.
        assert one.ages == [0, young + old, 0, 0]
