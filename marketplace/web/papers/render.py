"""A paper as PDF: A4, figures on the right, its number and a code to verify it by."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.templatetags.yiquan import full_day, money, month_name
from marketplace.web import sheets, typeset
from vouchers.models import Approval, Paper, Statement

CERTIFIED = ("charge", "credit", "applied", "cash_due")
TEMPLATE = Path(__file__).with_name("paper.typ")


def pdf(paper: Paper, *, address: str, language: str = "zh-hans") -> bytes:
    """This function will give the PDF of a paper; `address` is where its QR code leads."""
    with translation.override(language):
        told = _told(paper, address)
    return compiled(told, at=paper.issued_at)


def compiled(told: dict[str, Any], *, at: datetime) -> bytes:
    """The PDF of what is told: the keys that `frame` and `proof` give, and what paper.typ may show besides
    (`says`, `figures`, `steps`, `tables`, `bars`). Raises NoChineseFont."""
    return typeset.pdf(TEMPLATE, told, at=at)


def frame(*, title: str, month: str, number: str, facts: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """What stands at the head of every paper; facts without a value are left out."""
    return {
        "lang": "zh" if translation.get_language() == "zh-hans" else "en",
        "title": title,
        "issuer": _("Civil affairs bureau"),
        "month": month,
        "number-word": _("Number"),
        "number": number,
        "facts": [[str(name), str(value)] for name, value in facts if value],
        "figure-word": _("Figure"),
        "amount-word": _("Amount in yuan"),
    }


def proof(*, address: str, digest: str, chain: Sequence[Any] | None = None) -> dict[str, Any]:
    """By what somebody who has the paper can tell that it is genuine; without an address, only the digest.

    `chain`: number and hash of the head of the chain of seals when the paper was made.
    """
    told = {"digest-word": _("Digest of the figures"), "digest": digest}
    if chain and chain[0]:
        told |= {"chain-word": _("Head of the chain"), "chain": f"{chain[0]} {chain[1]}"}
    if address:
        told |= {
            # Error correction M bears a stamp across a corner.
            "qr": typeset.qr(address, error="m", border=0, dark="#1B2320"),
            "qr-alt": _("Code that leads to the page where this paper is verified"),
            "verify": _(
                "Whether this paper is genuine: scan the code, or open this address and compare the figures."
            ),
            "address": address,
        }
    return told


def _told(paper: Paper, address: str) -> dict[str, Any]:
    """Everything that stands on the paper, in words."""
    content, lease = paper.content, paper.statement.lease
    figures = {name: Decimal(value) for name, value in content["figures"].items()}
    month = paper.statement.month
    certificate = paper.kind == Paper.Kind.CERTIFICATE
    shown = CERTIFIED if certificate else Statement.FIGURES
    basis = dict(lease.Basis.choices).get(content["basis"], "")
    facts = [
        (_("Lease"), content["lease"]),
        (_("Premises"), f"{content['premises']}, {content['address']}"),
        (_("Owner"), content["owner"]),
        (_("Operator"), content["operator"]),
        (_("Basis"), " ".join(filter(None, [str(basis), content["decision_no"]]))),
        (_("Redemptions"), "" if certificate else content["redemptions"]),
        (_("Issued on"), full_day(paper.issued_at)),
    ]
    steps = dict(Approval.Step.choices)
    return {
        **frame(
            title=str(paper.get_kind_display()).capitalize(),
            month=month_name(month),
            number=paper.number,
            facts=facts,
        ),
        **proof(address=address, digest=content["digest"], chain=content.get("chain")),
        "says": _(
            "Of %(charge)s yuan rent for %(month)s, %(applied)s yuan are relieved by services; %(cash)s yuan are due in cash."
        )
        % {
            "charge": money(figures["charge"]),
            "month": month_name(month),
            "applied": money(figures["applied"]),
            "cash": money(figures["cash_due"]),
        }
        if certificate
        else "",
        "figures": [
            [str(sheets.HEADINGS[name]), money(figures[name]), name in ("applied", "cash_due")]
            for name in shown
        ],
        "steps": [
            [
                _("deemed confirmed: no objection within the term") if deemed else str(steps[step]),
                full_day(date.fromisoformat(day)),
            ]
            for step, day, deemed in content["steps"]
        ],
    }
