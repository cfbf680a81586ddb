"""What the story does not tell of: operators are paid, rent is handed over, papers are sealed, places inspected.

On the story's ground, in April 2026: `tell()` does one of each.
"""

from datetime import date
from typing import Any

from ledger.seals.operations import approve_seal, publish_head, put_seal, seal_entries
from providers.handover.operations import decide_handover, draw_up_handover
from providers.inspections.operations import Found, inspect, look_again
from providers.models import Finding, Lease, Operator, Receipt
from tests import story
from tests.story import JANUARY, bank_line, day, moment
from vouchers.funds.operations import donate, set_budget
from vouchers.models import Payout
from vouchers.payments.operations import pay_what_bears_numbers
from vouchers.payouts.operations import draw_up_payouts, set_payee, take_payout_steps

STEPS = (("confirm", "manager-{}"), ("review", "officer"), ("approve", "approver"))


def by(name: str = "clerk", at: str = "2026-04-02 10:00") -> dict[str, Any]:
    return {"by": story.user_named(name), "at": moment(at)}


def payees() -> None:
    for operator in Operator.objects.all():
        set_payee(
            operator=operator, holder=operator.name, number=f"6222{operator.pk:08d}", bank="湖城银行", **by()
        )


def line(when: str, amount: Any, *, out: bool = True, **words: str) -> Receipt:
    """One more line of the bank, imported."""
    story.bank(bank_line(when, amount, out=out, **words), at=when)
    return Receipt.objects.latest("id")


def give(amount: Any, *, when: str = "2026-04-01 09:00") -> Receipt:
    """Somebody gives to the fund."""
    receipt = line(when, amount, out=False, payer="湖城慈善会", summary="捐赠")
    donate(receipt=receipt, donor="湖城慈善会", wish="老人午餐", **by())
    return receipt


def draw(month: date = JANUARY, at: str = "2026-04-02 09:00") -> dict[str, Payout]:
    """The lists of a month, by operator."""
    return {one.operator.code: one for one in draw_up_payouts(month=month, **by(at=at))}


def step(payout: Payout, which: str, name: str, *, seen: str = "") -> None:
    """One step over the figures of now, or over `seen`. Raises CannotPayOut."""
    fresh = Payout.objects.get(pk=payout.pk)
    outcome = take_payout_steps(
        seen={payout.pk: seen or fresh.digest},
        step=which,
        by=story.user_named(name),
        clock=lambda: moment("2026-04-02 11:00"),
    )
    if outcome.refused:
        raise outcome.refused[0][1]


def approve(payout: Payout) -> Payout:
    """All three steps."""
    for which, name in STEPS:
        step(payout, which, name.format(payout.operator.code.lower()))
    return Payout.objects.get(pk=payout.pk)


def tell() -> None:
    payees()
    give(100)
    set_budget(
        starts_on=JANUARY,
        ends_on=day("2026-12-31"),
        amount=story.yuan(500),
        reason="年度预算",
        **by("approver"),
    )
    lists = draw()
    paid = approve(lists["OP01"])
    line("2026-04-03 09:00", paid.to_pay, summary=f"拨付{paid.number}")
    handover = draw_up_handover(
        name="湖城机关事务管理中心", kind="government", until=day("2026-03-31"), **by()
    )
    decide_handover(handover=handover, approve=True, treasury_no="湖财 2026-0417", **by("approver"))
    line("2026-04-03 10:00", handover.amount, summary=f"上缴 {handover.number}")
    pay_what_bears_numbers(by="story", at=moment("2026-04-03 11:00"))
    ls01 = Lease.objects.get(code="LS01")
    found = [Found("fire", "灭火器过期", day("2026-04-10")), Found("food", "留样不足", day("2026-04-05"))]
    inspect(lease=ls01, on=day("2026-04-01"), note="", found=found, **by("officer"))
    look_again(
        finding=Finding.objects.earliest("id"), on=day("2026-04-02"), mended=True, until=None, note="已更换",
        **by("officer"),
    )  # fmt: skip
    approval = approve_seal(
        paper=handover.number, content="0" * 64, purpose="上缴国库", copies=1, **by("approver")
    )
    put_seal(approval=approval, **by())
    seal_entries(at=moment("2026-04-04 02:00"))
    publish_head(at=moment("2026-04-04 02:00"))
