"""What the bureau pays and asks for: donations taken into the fund, payout lists in their steps, reminders sent.

Of the first month every list is approved, and the bank pays it later; of the second they stand at each step.
Accounts and names are made up. Done again, everything stays as it is.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from ledger.journal.queries import day_of
from marketplace.sample.demo_users import demo_user
from providers.models import Operator, Receipt
from providers.reminders.operations import digest, drafts, remind
from vouchers.funds.operations import donate, set_budget
from vouchers.models import FundBudget, Payout
from vouchers.payouts.operations import draw_up_payouts, set_payee, take_payout_steps

State = Payout.State
BANK = "示例银行天元支行"
BUDGET = Decimal("80000.00")
# Who takes which step of which list that has come so far, in order.
STEPS = (
    (State.DRAFT, "confirm", "clerk"),
    (State.CONFIRMED, "review", "street"),
    (State.REVIEWED, "approve", "approver"),
)
MANAGERS = {"OP01": "manager-op01", "OP05": "manager-op05"}  # they confirm their own
# How many steps lists of a month under way have taken; those of other operators are drafts.
TAKEN = {"OP01": 3, "OP05": 2, "OP02": 1, "OP09": 1}
LETTERS_BEFORE = timedelta(days=20)  # so that the term of the first reminders has passed


def pay_operators(*, month: date, all_steps: bool, at: datetime) -> str:
    """This function will draw up the lists of a month, and take their steps: all, or as far as TAKEN says."""
    clerk = demo_user("clerk")
    for operator in Operator.objects.filter(payee_accounts=None).order_by("code"):
        number = f"62170999{operator.pk:08d}"
        set_payee(operator=operator, holder=operator.name, number=number, bank=BANK, by=clerk, at=at)
    _fill_fund(month, at)
    drawn = draw_up_payouts(month=month, by=clerk, at=at)
    for place, (state, step, usual) in enumerate(STEPS):
        by_person: dict[str, dict[int, str]] = {}
        for payout in Payout.objects.filter(month=month, state=state).select_related("operator"):
            code = payout.operator.code
            if all_steps or TAKEN.get(code, 0) > place:
                person = MANAGERS.get(code, usual) if step == "confirm" else usual
                by_person.setdefault(person, {})[payout.pk] = payout.digest
        for person, seen in by_person.items():
            take_payout_steps(seen=seen, step=step, by=demo_user(person), clock=lambda: at)
    return f"{len(drawn)} lists, {Payout.objects.filter(month=month, state=State.APPROVED).count()} approved"


def _fill_fund(month: date, at: datetime) -> None:
    """What was given is taken in, and a budget stands."""
    given = Receipt.objects.filter(state=Receipt.State.SUSPENSE, bank_line__summary="捐款")
    for receipt in given.select_related("bank_line").order_by("id"):
        donor = receipt.bank_line.counterparty
        donate(receipt=receipt, donor=donor, wish="老人午餐", by=demo_user("clerk"), at=at)
    if not FundBudget.objects.exists():
        ends_on = date(at.year, 12, 31)
        set_budget(
            starts_on=month,
            ends_on=ends_on,
            amount=BUDGET,
            reason="年度安排",
            by=demo_user("approver"),
            at=at,
        )


def to_be_paid(month: date) -> list[tuple[str, str, Decimal]]:
    """The approved lists of a month, whether the bank has paid them or not: number, holder of the account, yuan."""
    approved = Payout.objects.filter(month=month, state=State.APPROVED, to_pay__gt=0).order_by("number")
    return [(one.number, one.payee["holder"], one.to_pay) for one in approved]


def remind_late_payers(*, at: datetime) -> str:
    """This function will have sent a first letter to whoever owes rent, long enough ago for a second."""
    at -= LETTERS_BEFORE
    late = [one for one in drafts(day_of(at)) if one.last is None]
    if not late:
        return "no letters"
    run = remind(seen={one.lease: digest(one) for one in late}, by=demo_user("clerk"), at=at)
    return f"{run.letters.count()} letters"
