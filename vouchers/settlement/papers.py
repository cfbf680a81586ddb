"""Papers of an approved statement: the statement itself, and the certificate of its relief (rules.md section 7)."""

import secrets
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, name_of, record
from ledger.journal.queries import day_of
from ledger.refusals import Refusal
from ledger.seals.operations import HeadNow, publish_over
from vouchers.settlement.models import Paper, Statement
from vouchers.settlement.operations import locked

PREFIXES = {Paper.Kind.STATEMENT: "DZ", Paper.Kind.CERTIFICATE: "PZ"}
# Letters and digits that are not mistaken for one another when they are read out or typed.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 10

SENTENCES = {
    "wrong_role": _("Only the bureau's clerk or approver hands out papers."),
    "not_approved": _("Papers are handed out once the statement is approved."),
    "no_basis": _(
        "The lease names no basis and decision number for relief of rent: without them no certificate is issued."
    ),
    "nothing_relieved": _("This statement offsets no rent: there is nothing to certify."),
}


class CannotIssuePaper(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def check_paper(statement: Statement, *, kind: str, by: Any) -> None:
    """This function will refuse a paper that may not be handed out; pages ask it before they offer it.

    Raises CannotIssuePaper: wrong_role, not_approved, no_basis, nothing_relieved.
    """
    if not (by.holds("bureau_clerk") or by.holds("bureau_approver")):
        raise CannotIssuePaper("wrong_role")
    if statement.state != Statement.State.APPROVED:
        raise CannotIssuePaper("not_approved")
    if kind == Paper.Kind.CERTIFICATE:
        if not (statement.lease.basis and statement.lease.decision_no):
            raise CannotIssuePaper("no_basis")
        if statement.applied <= 0:
            raise CannotIssuePaper("nothing_relieved")


def issue_paper(*, statement: Statement, kind: str, by: Any, at: datetime) -> Paper:
    """This function will hand out a paper of an approved statement; asked again, the same one.

    Its content is frozen: the figures, their digest, the lease with its basis, the three approvals by role and
    day, and a published head of the chain of seals that covers the statement's entry, so that who holds the paper
    can look it up. No elder stands on it, and no officer's name. Raises CannotIssuePaper.
    """
    with transaction.atomic():
        statement = locked(statement)
        by = as_now(by)
        check_paper(statement, kind=kind, by=by)
        existing = statement.papers.filter(kind=kind).first()
        if existing is not None:
            return existing
        lease = statement.lease
        chain = publish_over(entry=statement.entry_id, at=at)
        paper = Paper.objects.create(
            number=f"{PREFIXES[Paper.Kind(kind)]}-{lease.code}-{statement.month:%Y%m}",
            code="".join(secrets.choice(ALPHABET) for _place in range(CODE_LENGTH)),
            kind=kind,
            statement=statement,
            content={
                "lease": lease.code,
                "month": f"{statement.month:%Y-%m}",
                "premises": lease.premises.name,
                "address": lease.premises.address,
                "owner": lease.premises.owner,
                "operator": lease.operator.name,
                "basis": lease.basis,
                "decision_no": lease.decision_no,
                "figures": {name: str(getattr(statement, name)) for name in Statement.FIGURES},
                "redemptions": statement.redemptions,
                "digest": statement.digest,
                "chain": list(chain),
                "steps": [
                    [one.step, day_of(one.at).isoformat(), one.deemed]
                    for one in statement.approvals.filter(round=statement.round).order_by("id")
                ],
            },
            issued_at=at,
            issued_by=name_of(by),
        )
        record(
            by=by,
            at=at,
            action=f"issue_{kind}",
            subject=paper.number,
            detail={"digest": statement.digest},
        )
    return paper


def head_of(paper: Paper) -> HeadNow | None:
    """The head of the chain of seals that stands on a paper; None on those handed out before there was a chain."""
    number, mark = paper.content.get("chain") or (0, "")
    return HeadNow(number, mark) if number else None


def heads_on_paper() -> list[HeadNow]:
    """Every head that somebody holds on paper: what the chain must still pass through."""
    known = (head_of(paper) for paper in Paper.objects.only("content").iterator())
    return [one for one in known if one is not None]
