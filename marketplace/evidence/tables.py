"""The tables of an evidence pack: rows of one month, by number, amount and day. Nothing about any person.

Free text (a reason, a purpose, what an inspection found) stays behind: a name may stand in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Q

from ledger.files.write import As, Field
from ledger.journal.queries import last_day, midnight, next_month
from ledger.models import BankLine, SealApproval
from marketplace.accounts.models import User
from providers.models import (
    Finding,
    Handover,
    HandoverLine,
    HandoverPayment,
    Inspection,
    Operator,
    Receipt,
    ReceiptPart,
    Refund,
    RefundPayment,
)
from vouchers.models import (
    Approval,
    Claim,
    Donation,
    Payout,
    PayoutApproval,
    PayoutLine,
    PayoutPayment,
    Statement,
)

People = Mapping[str, tuple[Any, str]]
Table = tuple[Sequence[Field], Iterable[Sequence[Any]]]


def tables(month: date) -> dict[str, Table]:
    """Every table of the pack by its name, in the order in which money goes."""
    people = {name: (pk, role) for name, pk, role in User.objects.values_list("username", "pk", "role")}
    return {
        "statements": _statements(month),
        "approvals": _approvals(month),
        "claims": _claims(month),
        "payouts": _payouts(month),
        "payout_lines": _payout_lines(month),
        "receipts": _receipts(month),
        "receipt_parts": _receipt_parts(month),
        "payments": _payments(month),
        **_handed_over(month, people),
        "refunds": _refunds(month, people),
        "donations": _donations(month),
        "seal_uses": _seal_uses(month, people),
        **_inspections(month, people),
    }


def _between(month: date) -> tuple[datetime, datetime]:
    """The month's first instant and the next one's."""
    return midnight(month), midnight(next_month(month))


def _line(receipt: Receipt) -> str:
    """The bank line of a receipt, as receipts.csv names it."""
    return receipt.bank_line.fingerprint


PAID_BY = "payments__receipt__bank_line"


def _lines(document: Any) -> str:
    """The bank lines that paid a list, a refund or a sum handed over, one or several."""
    return " ".join(_line(one.receipt) for one in document.payments.all())


def _person(people: People, name: str) -> list[str]:
    """Number and role of who did it, as approvals.csv has them; no name."""
    pk, role = people.get(name, ("", ""))
    return [f"user {pk}" if pk else "", role]


DECIDED = (
    "drawn_by", "drawn_role", "drawn_at", "approved_by", "approved_role", "approved_at", "paid_by_line",
)  # fmt: skip


def _decided(people: People, one: Refund | Handover) -> list[Any]:
    """Who drew it up and who approved it, when, and what paid it: the columns DECIDED."""
    return [
        *_person(people, one.drawn_by),
        one.drawn_at,
        *_person(people, one.approved_by),
        one.approved_at,
        _lines(one),
    ]


def _fields(*names: str, amounts: Sequence[str] = (), times: Sequence[str] = ()) -> list[Field]:
    return [
        Field(name, As.AMOUNT if name in amounts else As.TIME if name in times else As.TEXT) for name in names
    ]


def _statements(month: date) -> Table:
    names = Statement.FIGURES
    rows = Statement.objects.filter(month=month).select_related("lease__operator", "lease__premises")
    return (
        _fields(
            "lease",
            "premises",
            "operator",
            "month",
            *names,
            "redemptions",
            "under_review",
            "state",
            "round",
            "digest",
            "entry",
            amounts=names,
        ),
        (
            [
                one.lease.code,
                one.lease.premises.code,
                one.lease.operator.code,
                f"{one.month:%Y-%m}",
                *(getattr(one, name) for name in names),
                one.redemptions,
                one.under_review,
                one.state,
                one.round,
                one.digest,
                one.entry_id,
            ]
            for one in rows.order_by("lease__code")
        ),
    )


def _approvals(month: date) -> Table:
    of_statements = Approval.objects.filter(statement__month=month).select_related("by", "statement__lease")
    of_payouts = PayoutApproval.objects.filter(payout__month=month).select_related("by", "payout")
    found = [(f"ST-{one.statement}".replace(" ", "-"), one) for one in of_statements.order_by("id")]
    found += [(one.payout.number, one) for one in of_payouts.order_by("id")]  # type: ignore[misc]
    return (
        _fields(
            "document", "round", "step", "person", "role", "on_paper", "deemed", "at", "digest", times=["at"]
        ),
        (
            [
                document,
                one.round,
                one.step,
                f"user {one.by_id}" if one.by_id else "",
                one.by.role if one.by else "",
                "yes" if one.on_paper else "no",
                "yes" if one.deemed else "no",
                one.at,
                one.digest,
            ]
            for document, one in found
        ),
    )


def _claims(month: date) -> Table:
    rows = Claim.objects.filter(statement__month=month).select_related(
        "redemption", "lease", "taken_back__lease"
    )
    return (
        _fields(
            "redemption", "lease", "service_on", "amount", "reversed_on", "taken_back_in", amounts=["amount"]
        ),
        (
            [
                one.redemption.number,
                one.lease.code,
                one.service_on.isoformat(),
                one.amount,
                one.reversed_on.isoformat() if one.reversed_on else "",
                f"{one.taken_back.month:%Y-%m}" if one.taken_back else "",
            ]
            for one in rows.order_by("lease__code", "redemption_id").iterator()
        ),
    )


def _payouts(month: date) -> Table:
    names = Payout.FIGURES
    rows = Payout.objects.filter(month=month).select_related("operator").prefetch_related(PAID_BY)
    return (
        _fields(
            "number",
            "operator",
            "month",
            *names,
            "redemptions",
            "state",
            "digest",
            "paid_by_line",
            amounts=names,
        ),
        (
            [
                one.number,
                one.operator.code,
                f"{one.month:%Y-%m}",
                *(getattr(one, name) for name in names),
                one.redemptions,
                one.state,
                one.digest,
                _lines(one),
            ]
            for one in rows.order_by("number")
        ),
    )


def _payout_lines(month: date) -> Table:
    rows = PayoutLine.objects.filter(payout__month=month).select_related("payout", "redemption")
    return (
        _fields("list", "redemption", "part", "taken_back", "amount", amounts=["amount"]),
        (
            [
                one.payout.number,
                one.redemption.number,
                one.part,
                "yes" if one.taken_back else "no",
                one.amount,
            ]
            for one in rows.order_by("payout__number", "redemption_id", "part", "taken_back").iterator()
        ),
    )


def _receipts(month: date) -> Table:
    """Payers are named only where they are operators: others may be people."""
    operators = set(Operator.objects.values_list("name", flat=True))
    start, end = _between(month)
    rows = BankLine.objects.filter(booked_at__gte=start, booked_at__lt=end).select_related("receipt__lease")
    return (
        _fields(
            "fingerprint",
            "booked_at",
            "direction",
            "amount",
            "operator",
            "state",
            "lease",
            "entry",
            amounts=["amount"],
            times=["booked_at"],
        ),
        (
            [
                one.fingerprint,
                one.booked_at,
                one.direction,
                one.amount,
                one.counterparty if one.counterparty in operators else "",
                one.receipt.state,
                one.receipt.lease.code if one.receipt.lease else "",
                one.entry_id,
            ]
            for one in rows.order_by("id").iterator()
        ),
    )


def _receipt_parts(month: date) -> Table:
    start, end = _between(month)
    rows = ReceiptPart.objects.filter(
        receipt__bank_line__booked_at__gte=start, receipt__bank_line__booked_at__lt=end
    ).select_related("receipt__bank_line", "lease")
    return (
        _fields("line", "lease", "amount", amounts=["amount"]),
        ([_line(one.receipt), one.lease.code, one.amount] for one in rows.order_by("id").iterator()),
    )


def _payments(month: date) -> Table:
    """What of each outgoing line of the month paid which list, refund or sum handed over."""
    start, end = _between(month)
    booked = Q(receipt__bank_line__booked_at__gte=start, receipt__bank_line__booked_at__lt=end)
    found = [
        [_line(one.receipt), getattr(one, document).number, one.amount]
        for kind, document in (
            (PayoutPayment, "payout"),
            (RefundPayment, "refund"),
            (HandoverPayment, "handover"),
        )
        for one in kind.objects.filter(booked).select_related("receipt__bank_line", document).order_by("id")  # type: ignore[attr-defined]
    ]
    return _fields("line", "document", "amount", amounts=["amount"]), found


def _handovers_of(month: date) -> list[Handover]:
    """Of each owner, those that hand over rent which came in in the month: a sum reaches from the last bank day of the
    one before to its own."""
    rows = (
        Handover.objects.exclude(state=Handover.State.DROPPED)
        .filter(until_on__gte=month)
        .select_related("owner")
        .prefetch_related(PAID_BY)
        .order_by("owner__code", "until_on", "id")
    )
    found: list[Handover] = []
    for _owner, each in groupby(rows, key=lambda one: one.owner_id):
        reached = month
        for one in each:
            if reached > last_day(month):
                break
            found.append(one)
            reached = one.until_on + timedelta(days=1)
    return found


def _handed_over(month: date, people: People) -> dict[str, Table]:
    handovers = _handovers_of(month)
    lines = HandoverLine.objects.filter(handover__in=handovers).select_related("handover", "lease")
    return {
        "handovers": (
            _fields(
                "number",
                "owner",
                "owner_kind",
                "until_on",
                "amount",
                "state",
                "treasury_no",
                *DECIDED,
                amounts=["amount"],
                times=["drawn_at", "approved_at"],
            ),
            [
                [
                    one.number,
                    one.owner.code,
                    one.owner.kind,
                    one.until_on.isoformat(),
                    one.amount,
                    one.state,
                    one.treasury_no,
                    *_decided(people, one),
                ]
                for one in handovers
            ],
        ),
        "handover_lines": (
            _fields("handover", "lease", "amount", amounts=["amount"]),
            (
                [one.handover.number, one.lease.code, one.amount]
                for one in lines.order_by("handover__number", "lease__code")
            ),
        ),
    }


def _refunds(month: date, people: People) -> Table:
    start, end = _between(month)
    paid = RefundPayment.objects.filter(
        receipt__bank_line__booked_at__gte=start, receipt__bank_line__booked_at__lt=end
    )
    rows = Refund.objects.filter(Q(pk__in=paid.values("refund")) | Q(drawn_at__gte=start, drawn_at__lt=end))
    return (
        _fields(
            "number",
            "lease",
            "amount",
            "state",
            *DECIDED,
            amounts=["amount"],
            times=["drawn_at", "approved_at"],
        ),
        (
            [
                one.number,
                one.lease.code,
                one.amount,
                one.state,
                *_decided(people, one),
            ]
            for one in rows.select_related("lease").prefetch_related(PAID_BY).order_by("number")
        ),
    )


def _donations(month: date) -> Table:
    start, end = _between(month)
    rows = Donation.objects.filter(
        receipt__bank_line__booked_at__gte=start, receipt__bank_line__booked_at__lt=end
    ).select_related("receipt__bank_line")
    return (
        _fields(
            "line", "amount", "taken_at", "undone_at", amounts=["amount"], times=["taken_at", "undone_at"]
        ),
        ([_line(one.receipt), one.amount, one.at, one.undone_at] for one in rows.order_by("id")),
    )


def _seal_uses(month: date, people: People) -> Table:
    start, end = _between(month)
    rows = SealApproval.objects.filter(
        Q(approved_at__gte=start, approved_at__lt=end) | Q(use__sealed_at__gte=start, use__sealed_at__lt=end)
    ).select_related("use")
    return (
        _fields(
            "paper",
            "content",
            "copies",
            "allowed_by",
            "allowed_role",
            "allowed_at",
            "sealed_by",
            "sealed_role",
            "sealed_at",
            times=["allowed_at", "sealed_at"],
        ),
        (
            [
                one.paper,
                one.content,
                one.copies,
                *_person(people, one.approved_by),
                one.approved_at,
                *_person(people, one.use.sealed_by if hasattr(one, "use") else ""),
                one.use.sealed_at if hasattr(one, "use") else None,
            ]
            for one in rows.order_by("id")
        ),
    )


def _inspections(month: date, people: People) -> dict[str, Table]:
    seen = Inspection.objects.filter(inspected_on__gte=month, inspected_on__lte=last_day(month))
    found = Finding.objects.filter(inspection__in=seen)
    return {
        "inspections": (
            _fields("inspection", "lease", "inspected_on", "by", "role"),
            (
                [one.pk, one.lease.code, one.inspected_on.isoformat(), *_person(people, one.by)]
                for one in seen.select_related("lease").order_by("lease__code", "inspected_on")
            ),
        ),
        "findings": (
            _fields("inspection", "finding", "area", "mend_until", "mended_on"),
            (
                [
                    one.inspection_id,
                    one.pk,
                    one.area,
                    one.mend_until.isoformat(),
                    one.mended_on.isoformat() if one.mended_on else "",
                ]
                for one in found.order_by("inspection", "id")
            ),
        ),
    }
