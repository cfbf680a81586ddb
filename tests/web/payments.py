"""What the payment pages show, written straight into the tables: one row of each, of the first lease and operator."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from ledger.models import Head, SealApproval
from providers.models import (
    Finding,
    Handover,
    HandoverLine,
    Inspection,
    Lease,
    Owner,
    Refund,
    Reminder,
    ReminderLine,
    ReminderRun,
)
from vouchers.models import FundBudget, Payout


def build(*, leases: list[Lease], month: Any, at: Any) -> list[Payout]:
    """A list in draft, a refund and a sum handed over that wait for approval, one that is approved, a budget."""
    first = leases[0]
    zero = Decimal("0.00")
    before = (month - timedelta(days=1)).replace(day=1)
    payout = Payout.objects.create(
        number=f"BF-{first.operator.code}-{before:%Y%m}", operator=first.operator, month=before,
        government=Decimal("12.00"), charity=zero, vouchers=zero, reversed=zero, carry_in=zero,
        total=Decimal("12.00"), to_pay=Decimal("12.00"), carry_out=zero, held_back=Decimal("12.00"),
        redemptions=6, under_review=1, payee={}, digest="0" * 64, drawn_at=at,
    )  # fmt: skip
    approved = Payout.objects.create(
        number=f"BF-{first.operator.code}-{month:%Y%m}", operator=first.operator, month=month, state="approved",
        government=Decimal("9.00"), charity=zero, vouchers=zero, reversed=zero, carry_in=zero,
        total=Decimal("9.00"), to_pay=Decimal("9.00"), carry_out=zero, held_back=zero,
        redemptions=6, under_review=0, payee={"holder": "样例颐养服务中心1", "number": "6222000011", "bank": "样例银行"},
        digest="1" * 64, drawn_at=at,
    )  # fmt: skip
    Refund.objects.create(
        number=f"TK-{first.code}-001", lease=first, amount=5, reason="多缴租金", drawn_by="clerk", drawn_at=at
    )
    owner = Owner.objects.create(code="OW0001", name=first.premises.owner, kind=first.premises.owner_kind)
    for number, rest in (
        (
            "JK-OW0001-202607",
            {"state": "approved", "approved_by": "approver", "approved_at": at, "treasury_no": "样例 7"},
        ),
        ("JK-OW0001-202608", {}),
    ):
        handover = Handover.objects.create(
            number=number, code="ABCDEFGHJK", owner=owner, until_on=month, amount=5, drawn_by="clerk",
            drawn_at=at, **rest,
        )  # fmt: skip
        HandoverLine.objects.create(handover=handover, lease=first, amount=5)
    FundBudget.objects.create(
        starts_on=before, ends_on=month, amount=100, reason="年度预算", by="approver", at=at
    )
    return [payout, approved]


def inspected(lease: Lease, month: Any, at: Any) -> list[Finding]:
    """One inspection with an open finding; a seal that is allowed, and two heads of the chain."""
    visit = Inspection.objects.create(lease=lease, inspected_on=month, by="street", at=at)
    SealApproval.objects.create(
        paper="JK-OW0001-202607", content="0" * 64, purpose="上缴国库", approved_by="approver", approved_at=at
    )
    for number in (7, 9):
        Head.objects.create(number=number, hash=f"{number:064x}", published_at=at)
    return [
        Finding.objects.create(
            inspection=visit, area="fire", text="灭火器过期", mend_until=month + timedelta(days=9)
        )
    ]


def reminded(lease: Lease, month: Any, at: Any) -> list[Reminder]:
    """A letter that was sent to one lease."""
    run = ReminderRun.objects.create(dated_on=at.date(), by="clerk", at=at)
    content = {"premises": lease.premises.name, "address": "湖滨路 1 号", "operator": "样例", "before": None}
    letter = Reminder.objects.create(
        run=run, lease=lease, number=f"CJ-{lease.code}-{at:%Y%m%d}", grade=1, dated_on=run.dated_on,
        pay_until=run.dated_on + timedelta(days=15), amount=5, content=content,
    )  # fmt: skip
    ReminderLine.objects.create(reminder=letter, month=month, amount=5)
    return [letter]
