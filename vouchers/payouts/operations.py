"""The monthly lists of what operators are paid (拨付), with the three approvals of statements (rules.md section 8).

A list takes what was served up to the end of its month and stands on no list yet; what was on one and has been
reversed since is taken off the next. Held back redemptions wait; so do charity parts while the fund is overdrawn.
Approving posts nothing: what is owed stands in Liabilities:Payable already, and goes when a bank line pays it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, name_of, record
from ledger.journal.operations import exclusive
from ledger.journal.queries import day_of, month_of
from ledger.money import ZERO
from providers.models import Operator, PayeeAccount, Premises
from vouchers.approvals import operations as approvals
from vouchers.approvals.operations import CannotTakeStep
from vouchers.funds.operations import fund_balance
from vouchers.models import Payout, PayoutApproval, PayoutDrawing, PayoutLine
from vouchers.payouts.queries import PARTS, Owed, owed, put_on_list

State, Step = Payout.State, PayoutApproval.Step
CHARITY = PayoutLine.Part.CHARITY
WAIT_SECONDS = 5  # a person waits on the page

SENTENCES = {
    **approvals.SENTENCES,
    "wrong_step": _("This list does not wait for this step. Reload the page to see where it stands."),
    "wrong_role": _("Your role may not do this step of this list."),
    "same_person": _("You have done another step of this list. Nobody may do two."),
    "nothing_left": _("There is no list any more: what stood on it was taken back."),
    "month_running": _("This month has not ended yet. Its list is drawn up from the 1st of the next."),
    "earlier_open": _("A list of an earlier month is not approved yet. It comes first."),
    "later_drawn": _("Lists of a later month are drawn up already: what is new goes on those."),
    "no_payee": _("The operator has no bank account on record. Enter it before the list is approved."),
}


class CannotPayOut(CannotTakeStep):
    """Refused; nothing is written (but `statement_changed`: there the new figures are, and `nothing_left`: the
    list is gone). `code` names why."""

    sentences = SENTENCES


@dataclass(frozen=True)
class Reckoned:
    """The list as it would be drawn up now: its figures, the parts that may be paid, and its digest."""

    figures: dict[str, Any]
    parts: tuple[str, ...]
    payee: dict[str, str]
    marks: dict[str, int]

    @property
    def digest(self) -> str:
        content = {
            **{name: str(value) for name, value in self.figures.items()},
            "payee": self.payee,
            "behind": sorted(self.marks.items()),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def empty(self) -> bool:
        return not any(self.figures.values())


def draw_up_payouts(*, month: date, by: Any, at: datetime) -> list[Payout]:
    """This function will draw up the list of every operator that is owed something for a month (its first day).

    Lists already approved stay; others take the new figures, and where those differ from what was confirmed or
    reviewed the steps start over. Run again with nothing new, it changes nothing. Returns the month's lists in
    operator order. Raises CannotPayOut: month_running, earlier_open, later_drawn; Busy.
    """
    with exclusive("draw_up_payouts", wait_seconds=WAIT_SECONDS), transaction.atomic():
        if month >= month_of(day_of(at)):
            raise CannotPayOut("month_running")
        if Payout.objects.filter(month__gt=month).exists():
            raise CannotPayOut("later_drawn")
        if Payout.objects.filter(month__lt=month).exclude(state=State.APPROVED).exists():
            raise CannotPayOut("earlier_open")
        known = {
            payout.operator_id: payout
            for payout in Payout.objects.select_for_update(of=["self"])
            .filter(month=month)
            .select_related("operator")
            .order_by("operator__code")
        }
        parts = parts_payable()
        drawn = []
        for operator in Operator.objects.order_by("code"):
            payout = known.get(operator.pk)
            if payout is None or payout.state != State.APPROVED:
                now = _reckon(operator, month, parts)
                payout = _draw_up(payout or Payout(operator=operator, month=month), now, at)
            if payout is not None:
                drawn.append(payout)
        record(
            by=by,
            at=at,
            action="draw_up_payouts",
            subject=f"{month:%Y-%m}",
            detail={"lists": len(drawn), "fund_overdrawn": CHARITY not in parts},
            channel="run",
        )
    return drawn


def parts_payable() -> tuple[str, ...]:
    """The parts that lists may pay now: not the charity part while the fund is overdrawn (rules.md section 8)."""
    return tuple(part for part in PARTS if part != CHARITY) if fund_balance() < 0 else PARTS


def _reckon(operator: Operator, month: date, parts: tuple[str, ...]) -> Reckoned:
    due: Owed = owed(operator.pk, month, parts=parts)
    before = Payout.objects.filter(operator=operator, month__lt=month, state=State.APPROVED)
    carry_in: Decimal = before.order_by("-month").values_list("carry_out", flat=True).first() or ZERO
    paid = {part: due.free[part] if part in parts else ZERO for part in PARTS}
    taken_back = sum(due.back.values(), ZERO)
    total = sum(paid.values(), ZERO) - taken_back + carry_in
    figures = {
        **paid,
        "reversed": taken_back,
        "carry_in": carry_in,
        "total": total,
        "to_pay": max(total, ZERO),
        "carry_out": min(total, ZERO),
        "held_back": sum((due.free[part] for part in PARTS if part not in parts), ZERO),
        "redemptions": due.redemptions,
        "under_review": due.under_review,
    }
    marks = {name: mark for name, mark in due.marks.items() if name in parts or name.startswith("back ")}
    return Reckoned(figures, parts, payee_of(operator), marks)


def payee_of(operator: Operator) -> dict[str, str]:
    """The account to which an operator is paid; empty where none is on record."""
    return payees_of([operator.pk]).get(operator.pk, {})


def payees_of(operators: Iterable[int]) -> dict[int, dict[str, str]]:
    """The accounts to which operators (their ids) are paid, of those that have one. One query."""
    accounts = PayeeAccount.objects.filter(operator__in=set(operators)).order_by("from_on", "id")
    names = ("holder", "number", "bank")
    return {one.operator_id: {name: getattr(one, name) for name in names} for one in accounts}


def _draw_up(payout: Payout, now: Reckoned, at: datetime) -> Payout | None:
    """Write the figures of one operator into its list, new or not approved; None where there is nothing."""
    if payout.pk is None:
        if now.empty:
            return None
    elif now.empty and not payout.approvals.exists():
        payout.delete()
        return None
    elif payout.digest == now.digest:
        return payout
    else:
        approvals.restart(payout)
    payout.number = f"BF-{payout.operator.code}-{payout.month:%Y%m}"
    for name, value in now.figures.items():
        setattr(payout, name, value)
    payout.payee, payout.digest, payout.drawn_at = now.payee, now.digest, at
    payout.save()
    told = {name: value if isinstance(value, int) else str(value) for name, value in now.figures.items()}
    # Figures may come back to what they were: then that drawing stands already.
    PayoutDrawing.objects.bulk_create(
        [PayoutDrawing(payout=payout, digest=now.digest, figures={**told, "payee": now.payee}, drawn_at=at)],
        ignore_conflicts=True,
    )
    return payout


def may(step: str, payout: Payout, by: Any) -> bool:
    """Whether this person's role allows this step of this list. A list is of all the
    city; the street is one where the operator serves."""
    if step == Step.CONFIRM:
        return by.holds("operator_manager", operator=payout.operator) or by.holds("bureau_clerk", city=True)
    if step == Step.REVIEW:
        places = (
            Premises.objects.filter(leases__operator=payout.operator).select_related("division").distinct()
        )
        return any(by.holds("street_officer", division=place.division) for place in places)
    return by.holds("bureau_approver", city=True)


def _locked(payout: Payout) -> Payout:
    return Payout.objects.select_for_update(of=["self"]).select_related("operator").get(pk=payout.pk)


def _reckoned(payout: Payout) -> Reckoned:
    return _reckon(payout.operator, payout.month, parts_payable())


def _approved(payout: Payout, now: Reckoned, at: datetime) -> None:
    if payout.to_pay > 0 and not payout.payee:
        raise CannotPayOut("no_payee")
    if put_on_list(payout.pk, payout.operator_id, payout.month, parts=now.parts) != now.marks:
        raise CannotPayOut("statement_changed")


PAYOUTS = approvals.Kind(
    refusal=CannotPayOut,
    lock=_locked,
    may=may,
    reckon=_reckoned,
    digest=lambda now: now.digest,
    redraw=_draw_up,
    post=_approved,
    subject=str,
)


def take_payout_steps(
    *, seen: Mapping[int, str], step: str, by: Any, clock: Callable[[], datetime]
) -> approvals.Steps[Payout]:
    """This function will take one step of each list in `seen` (by id, the digest that was looked at)."""
    wanted = Payout.objects.filter(pk__in=seen).order_by("month", "operator__code")
    return PAYOUTS.take_many(wanted, seen=seen, step=step, by=by, clock=clock)


def set_payee(
    *, operator: Operator, holder: str, number: str, bank: str, by: Any, at: datetime
) -> PayeeAccount:
    """This function will note the account to which an operator is paid from today on.

    Lists that are not approved yet take it when they are drawn up again: then their steps start over, so that
    nobody has approved an account that they did not see. Raises CannotPayOut: wrong_role.
    """
    with transaction.atomic():
        if not as_now(by).holds("bureau_clerk", city=True):
            raise CannotPayOut("wrong_role")
        account = PayeeAccount.objects.create(
            operator=operator,
            from_on=day_of(at),
            holder=holder.strip(),
            number=number.strip(),
            bank=bank.strip(),
            by=name_of(by),
            at=at,
        )
        record(by=by, at=at, action="set_payee", subject=operator.code, detail={"tail": account.number[-4:]})
    return account
