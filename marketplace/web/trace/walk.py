"""The whole way of one redemption, from issue to bank line, each step with its entry as the books have it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from ledger.models import Entry
from marketplace.templatetags.yiquan import day, moment, month_name, yuan
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays
from marketplace.web.trace.entries import in_books
from providers.leases.paid_by import paid_by
from vouchers.models import Approval, Claim, Movement, PayoutLine, Redemption, Statement


@dataclass
class Step:
    """One step: `words` with a link where the reader may go, `notes` below; `entry` where one was posted."""

    icon: str
    title: str
    words: str
    href: str = ""
    notes: Sequence[str] = ()
    here: bool = False
    entry: Entry | None = None
    books: str = ""


def walk(
    request: HttpRequest, redemption: Redemption, paid: Iterable[Movement], claims: Iterable[dict[str, Any]]
) -> list[Step]:
    """The steps in the order in which money and vouchers went: issue, voucher, meal, statement, approvals, bank.

    `claims` as in redemptions.py. Entries stand there for those who read the books.
    """
    bureau = plays(request.user, BUREAU)
    steps = [*_issued(paid, bureau), _served(redemption)]
    reversal = getattr(redemption, "reversal", None)
    if reversal is not None:
        steps.append(
            Step("arrow-counterclockwise", _("Reversed"), moment(reversal.reversed_at),
                 notes=[reversal.reason], entry=reversal.entry)
        )  # fmt: skip
    for item in claims:
        if item["visible"] and item["claim"].statement:
            steps += _offset(request, item["claim"], redemption.number)
    steps += _paid_out(request, redemption)
    _read_entries(steps, bureau)
    return steps


def _issued(paid: Iterable[Movement], bureau: bool) -> list[Step]:
    steps, runs = [], set()
    for movement in paid:
        voucher = movement.voucher
        if voucher.run_id not in runs:
            runs.add(voucher.run_id)
            steps.append(
                Step(
                    "people", _("Issued"), f"{voucher.programme.name} · {day(voucher.run.issued_on)}",
                    href=reverse("issue_run", args=[voucher.run_id]) if bureau else "",
                    entry=voucher.run.entry,
                )
            )  # fmt: skip
        steps.append(
            Step(
                "ticket-perforated", _("Voucher it came from"), voucher.serial, href=reverse("voucher", args=[voucher.serial]),
                notes=[_("%(amount)s of it spent here") % {"amount": yuan(movement.amount)}],
            )
        )  # fmt: skip
    return steps


def _served(redemption: Redemption) -> Step:
    return Step(
        "receipt", _("This redemption"),
        f"{redemption.service.name} × {redemption.quantity} · {moment(redemption.happened_at)}",
        here=True, entry=redemption.entry,
    )  # fmt: skip


def _offset(request: HttpRequest, claim: Claim, number: str) -> list[Step]:
    """The statement that took the claim, who approved it, the lines that paid what it left in cash, and the
    statement that took it back."""
    found = claim.statement
    assert found is not None
    figure = "earned" if claim.service_on >= found.month else "late"
    steps = [
        Step(
            "file-earmark-text", _("Rent offset"), f"{claim.lease.code} · {month_name(found.month)}",
            href=_line_of(claim, found, figure, number),
            notes=[_("%(value)s of voucher value stand on it") % {"value": yuan(claim.amount)}],
            entry=found.entry,
        ),
        _approvals(claim, found),
    ]  # fmt: skip
    return [*steps, *_rent(request, claim, found), *_taken_back(claim, number)]


def _taken_back(claim: Claim, number: str) -> list[Step]:
    """Where a claim that was reversed after it stood on a statement is taken back; or that it still waits for it."""
    if claim.reversed_on is None:
        return []
    title, found = _("Taken back from the rent offset"), claim.taken_back
    if found is None:
        return [Step("clock", title, _("on the next statement of %(lease)s") % {"lease": claim.lease.code})]
    return [
        Step(
            "arrow-counterclockwise", title, f"{claim.lease.code} · {month_name(found.month)}",
            href=_line_of(claim, found, "reversed", number),
            notes=[_("%(value)s of voucher value taken off") % {"value": yuan(claim.amount)}],
            entry=found.entry,
        ),
        _approvals(claim, found),
    ]  # fmt: skip


def _line_of(claim: Claim, found: Statement, figure: str, number: str) -> str:
    """The one line among those that make a figure of a statement."""
    return f"{reverse('lines', args=[claim.lease.code, found.month, figure])}?q={number}"


def _approvals(claim: Claim, found: Statement) -> Step:
    """Who took which step of a statement."""
    approvals = (
        Approval.objects.filter(statement=found, round=found.round).select_related("by").order_by("id")
    )
    return Step(
        "check-lg", _("Approvals"), _("digest %(digest)s") % {"digest": found.digest[:12]},
        href=reverse("statement", args=[claim.lease.code, found.month]),
        notes=[_approval(one) for one in approvals],
    )  # fmt: skip


def _approval(one: Approval) -> str:
    who = _("in silence") if one.deemed or one.by is None else one.by.username
    said = _("%(step)s: %(who)s") % {"step": one.get_step_display(), "who": who}
    return f"{said} · {moment(one.at)}"


def _rent(request: HttpRequest, claim: Claim, found: Statement) -> list[Step]:
    lines = paid_by(lease=claim.lease, month=found.month)
    seen = set(
        scope.bank_lines(request.user)
        .filter(pk__in=[one.line.pk for one in lines])
        .values_list("pk", flat=True)
    )
    bureau = plays(request.user, BUREAU)
    steps = [
        Step(
            "bar-chart", _("Rent paid in cash"), _line(one.line),
            href=reverse("bureau:receipt", args=[one.line.pk]) if bureau else "",
            notes=[_("%(amount)s of it for this month") % {"amount": yuan(one.amount)}],
            entry=one.line.entry,
        )
        for one in lines
        if one.line.pk in seen
    ]  # fmt: skip
    left = found.cash_due - sum(one.amount for one in lines)
    if left > 0:
        steps.append(
            Step("clock", _("Rent paid in cash"), _("%(amount)s still to come") % {"amount": yuan(left)})
        )
    return steps


def _line(line: Any) -> str:
    return f"{moment(line.booked_at)} · {yuan(line.amount)} · {line.counterparty}"


def _paid_out(request: HttpRequest, redemption: Redemption) -> list[Step]:
    """The payout list on which the operator's part of this redemption stands, and its bank line."""
    rows = PayoutLine.objects.filter(redemption=redemption, payout__in=scope.payouts(request.user))
    bureau = plays(request.user, BUREAU)
    steps = []
    for row in (
        rows.select_related("payout")
        .prefetch_related("payout__payments__receipt__bank_line__entry")
        .order_by("id")
    ):
        steps.append(
            Step(
                "box-arrow-right", _("Paid to the operator"), row.payout.number,
                href=reverse("payments:payout", args=[row.payout.number]),
                notes=[
                    f"{row.get_part_display()} {'−' if row.taken_back else ''}{yuan(row.amount)}",
                    *([] if row.payout.paid else [_("no bank line yet")]),
                ],
            )
        )  # fmt: skip
        for line in [one.receipt.bank_line for one in row.payout.payments.all()] if bureau else []:
            steps.append(
                Step("bar-chart", _("Bank line"), _line(line), href=reverse("bureau:receipt", args=[line.pk]),
                     entry=line.entry)
            )  # fmt: skip
    return steps


def _read_entries(steps: Sequence[Step], bureau: bool) -> None:
    """Give each step the lines that its entry has in the books; to others than the bureau none."""
    if not bureau:
        for step in steps:
            step.entry = None
        return
    entries = [step.entry for step in steps if step.entry is not None]
    prefetch_related_objects(entries, "transfers__debit", "transfers__credit")
    for step in steps:
        if step.entry is not None:
            step.books = in_books(step.entry, sorted(step.entry.transfers.all(), key=lambda one: one.line))
