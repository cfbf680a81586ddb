"""The charity fund: donations into it, how much of it is used, and what its budget allows (rules.md section 8).

The fund is one account, Liabilities:Fund:Charity: donations credit it, the charity parts of redemptions debit it.
Overdrawn, it is shown in red and no list pays a charity part until donations have made it good.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.audit.operations import as_now, name_of, record
from ledger.journal.operations import Move
from ledger.journal.queries import balance_of
from ledger.money import ZERO
from ledger.refusals import Refusal
from providers.leases import suspense
from providers.leases.suspense import CannotMatch
from providers.models import Receipt, ReceiptDecision
from vouchers.funds.models import Donation, FundBudget
from vouchers.redemption.models import Redemption

LOW = Decimal("0.8")  # of the budget used: the page warns

SENTENCES = {
    "wrong_role": _("Only the bureau's approver sets a budget."),
    "ends_before": _("A budget ends on or after the day on which it begins."),
    "negative": _("A budget is at least zero."),
}


class CannotBudget(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def fund_balance() -> Decimal:
    """What is left of the fund, yuan; less than zero: overdrawn."""
    return -balance_of(chart.FUND_CHARITY)


@dataclass(frozen=True, slots=True)
class Use:
    """A budget and how much of it is used, yuan."""

    budget: FundBudget
    used: Decimal

    @property
    def left(self) -> Decimal:
        return self.budget.amount - self.used

    @property
    def state(self) -> str:
        """exhausted, low or fine."""
        if self.left <= 0:
            return "exhausted"
        return "low" if self.used >= self.budget.amount * LOW else "fine"


def uses() -> list[Use]:
    """Each budget that counts with what services of its days have used, latest first. Two queries: the redemptions
    are read once, however many budgets there are."""
    latest: dict[tuple[date, date], FundBudget] = {}
    for budget in FundBudget.objects.order_by("id"):
        latest[budget.starts_on, budget.ends_on] = budget
    used = used_between(list(latest))
    return [
        Use(budget, used[budget.starts_on, budget.ends_on])
        for budget in sorted(latest.values(), key=lambda one: (one.starts_on, one.ends_on), reverse=True)
    ]


def used_between(times: list[tuple[date, date]]) -> dict[tuple[date, date], Decimal]:
    """The charity parts of what was served from day to day, both included, and not reversed, of each time."""
    if not times:
        return {}
    served = Redemption.objects.filter(
        service_on__gte=min(first for first, _last in times),
        service_on__lte=max(last for _first, last in times),
        reversed_on=None,
    )
    sums = served.aggregate(
        **{
            f"sum_{n}": Sum("charity", filter=Q(service_on__gte=first, service_on__lte=last))
            for n, (first, last) in enumerate(times)
        }
    )
    return {time: sums[f"sum_{n}"] or ZERO for n, time in enumerate(times)}


def set_budget(
    *, starts_on: date, ends_on: date, amount: Decimal, reason: str, by: Any, at: datetime
) -> FundBudget:
    """This function will set how much of the fund may be used from day to day. Raises CannotBudget."""
    with transaction.atomic():
        if not as_now(by).holds("bureau_approver", city=True):
            raise CannotBudget("wrong_role")
        if ends_on < starts_on:
            raise CannotBudget("ends_before")
        if amount < 0:
            raise CannotBudget("negative")
        budget = FundBudget.objects.create(
            starts_on=starts_on, ends_on=ends_on, amount=amount, reason=reason[:200], by=name_of(by), at=at
        )
        record(
            by=by, at=at, action="set_fund_budget", subject=str(budget)[:80], detail={"amount": str(amount)}
        )
    return budget


def donate(*, receipt: Receipt, donor: str, wish: str, by: Any, at: datetime) -> Donation:
    """This function will take an incoming bank line into the fund. Raises CannotMatch."""
    with transaction.atomic():
        receipt, by = suspense.locked(receipt, by)
        if receipt.state not in (Receipt.State.PROPOSED, Receipt.State.SUSPENSE):
            raise CannotMatch("moved_on")
        amount = receipt.bank_line.amount
        receipt.state, receipt.lease, receipt.month = Receipt.State.FUND, None, None
        receipt.save(update_fields=["state", "lease", "month"])
        donation = Donation.objects.create(
            receipt=receipt,
            donor=donor.strip()[:120],
            wish=wish.strip()[:200],
            amount=amount,
            by=name_of(by),
            at=at,
        )
        suspense.noted(
            receipt,
            ReceiptDecision.Action.DONATE,
            [Move(chart.SUSPENSE_RECEIPTS, chart.FUND_CHARITY, amount)],
            told=[["fund", str(amount)]],
            by=by,
            at=at,
            reason="",
        )
    return donation


def undo_donation(*, receipt: Receipt, reason: str, by: Any, at: datetime) -> Receipt:
    """This function will give a bank line back from the fund to suspense. Raises CannotMatch."""
    with transaction.atomic():
        receipt, by = suspense.locked(receipt, by)
        donation = receipt.donations.filter(undone_at=None).first()
        if receipt.state != Receipt.State.FUND or donation is None:
            raise CannotMatch("moved_on")
        donation.undone_at, donation.undone_by = at, name_of(by)
        donation.save(update_fields=["undone_at", "undone_by"])
        receipt.state = Receipt.State.SUSPENSE
        receipt.save(update_fields=["state"])
        return suspense.noted(
            receipt,
            ReceiptDecision.Action.RELEASE,
            [Move(chart.SUSPENSE_RECEIPTS, chart.FUND_CHARITY, -donation.amount)],
            told=[["fund", str(donation.amount)]],
            by=by,
            at=at,
            reason=reason,
        )
