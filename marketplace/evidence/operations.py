"""The evidence of one month in a folder: everything that its figures rest on, nothing about any person.

books/               the books as Beancount files, of every month so far
statements.csv       every figure of every statement, with its digest
approvals.csv        who confirmed, reviewed, approved what digest: by role and number, no names
claims.csv           each redemption's part of a statement
payouts.csv          the payout lists, payout_lines.csv their lines
receipts.csv         the bank lines booked in the month and how they stand; no payer but an operator
chain.json           where the chain of seals ended, and whether it held
MANIFEST.json        SHA-256 of each file; MANIFEST.sig its signature
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.books.export import export
from ledger.books.manifest import sign
from ledger.files.write import As, Field, write_csv
from ledger.journal.queries import SHANGHAI, is_locked, next_month
from ledger.models import BankLine, Head
from ledger.refusals import Refusal
from ledger.seals.operations import broken, head, publish_head, seal_entries
from providers.models import Operator
from vouchers.models import Approval, Claim, Payout, PayoutApproval, PayoutLine, Statement

SENTENCES = {
    "no_statements": _("There are no statements of this month."),
    "not_empty": _("This directory is not empty: name one that is, or that does not exist yet."),
}


class CannotPack(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def signing_secret() -> bytes:
    """The secret from which the key for manifests is derived: the first one that signs."""
    return next(iter(settings.TOKEN_KEYS.values()))


def evidence_pack(*, month: date, into: Path, by: Any, at: datetime, progress: Any = None) -> dict[str, Any]:
    """This function will write the evidence of a month (its first day) into an empty directory; the manifest.

    What is not sealed yet is sealed first, so that the pack's head covers it. Raises CannotPack; OSError.
    """
    if not Statement.objects.filter(month=month).exists():
        raise CannotPack("no_statements")
    if into.exists() and any(into.iterdir()):
        raise CannotPack("not_empty")
    into.mkdir(parents=True, exist_ok=True)
    seal_entries(at=at)
    publish_head(at=at)
    now = head()
    with translation.override("en"):
        export(into / "books", progress=progress)
        for name, (fields, rows) in _tables(month).items():
            with (into / f"{name}.csv").open("wb") as file:
                file.writelines(write_csv(fields, rows))
    chain = {
        "head": {"number": now.number, "hash": now.hash},
        "published": [
            {"number": one.number, "hash": one.hash, "at": one.published_at.isoformat()}
            for one in Head.objects.order_by("number")
        ],
        "broken": [list(one) for one in broken()],
    }
    (into / "chain.json").write_text(json.dumps(chain, indent=1) + "\n")
    about = {
        "what": "evidence",
        "month": f"{month:%Y-%m}",
        "locked": is_locked(month),
        "made_at": at.isoformat(),
        "head": chain["head"],
    }
    manifest = sign(into, about=about, secret=signing_secret())
    record(
        by=by,
        at=at,
        action="evidence_pack",
        subject=f"{month:%Y-%m}",
        detail={"files": len(manifest["files"])},
    )
    return manifest


Table = tuple[Sequence[Field], Iterable[Sequence[Any]]]


def _tables(month: date) -> dict[str, Table]:
    return {
        "statements": _statements(month),
        "approvals": _approvals(month),
        "claims": _claims(month),
        "payouts": _payouts(month),
        "payout_lines": _payout_lines(month),
        "receipts": _receipts(month),
    }


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
    rows = Payout.objects.filter(month=month).select_related("operator", "receipt__bank_line")
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
                one.receipt.bank_line.fingerprint if one.receipt else "",
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
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) for day in (month, next_month(month))
    )
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
