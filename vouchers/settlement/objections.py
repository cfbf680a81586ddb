"""What an operator says against a statement, and what its silence means (rules.md section 7).

The operator may object while the statement waits for its confirmation. Each objection is answered by the
bureau; correcting a figure is another matter (a reversal, a late redemption), after which the statement is
drawn up again. Once the term has passed without a word, the statement is deemed confirmed.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, record
from ledger.journal.queries import day_of, last_day
from ledger.refusals import Refusal
from vouchers.redemption.models import Redemption
from vouchers.settlement.models import Objection, Statement
from vouchers.settlement.operations import deem_confirmed, locked
from vouchers.settlement.queries import OF_CLAIMS, claims_of

TERM_DAYS = 7  # the day after the statement was shown is the first of them

SENTENCES = {
    "too_late": _("The statement no longer waits for the operator: objections come before the confirmation."),
    "wrong_role": _(
        "Only the manager of this lease's operator may object, and only the bureau's clerk may answer."
    ),
    "not_on_statement": _("This redemption is not part of that figure of the statement."),
    "objected_before": _("There is an open objection to this line already; it waits for its answer."),
    "answered_before": _("This objection was answered before. Reload the page to read the answer."),
}


class CannotObject(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def may_object(statement: Statement, by: Any) -> bool:
    """Whether this person may say something against this statement now."""
    waits = statement.state == Statement.State.DRAFT
    return waits and by.holds("operator_manager", operator=statement.lease.operator)


def object_to(
    *, statement: Statement, figure: str, redemption: Redemption | None, text: str, by: Any, at: datetime
) -> Objection:
    """This function will note what an operator's manager says against a figure, or one redemption of it.

    Raises CannotObject: too_late, wrong_role, not_on_statement, objected_before.
    """
    try:
        with transaction.atomic():
            statement = locked(statement)
            by = as_now(by)
            if statement.state != Statement.State.DRAFT:
                raise CannotObject("too_late")
            if not may_object(statement, by):
                raise CannotObject("wrong_role")
            if redemption is not None and not _makes(redemption, statement, figure):
                raise CannotObject("not_on_statement")
            objection = Objection.objects.create(
                statement=statement,
                figure=figure,
                redemption=redemption,
                digest=statement.digest,
                text=text.strip()[:500],
                by=by,
                at=at,
            )
            record(
                by=by,
                at=at,
                action="object",
                subject=str(statement),
                detail={"figure": figure, "redemption": redemption.number if redemption else None},
            )
    except IntegrityError as error:
        if "one_open_objection_a_line" in str(error):
            raise CannotObject("objected_before") from None
        raise
    return objection


def _makes(redemption: Redemption, statement: Statement, figure: str) -> bool:
    """Whether a redemption is one of those that make this figure."""
    return figure in OF_CLAIMS and claims_of(statement, figure).filter(redemption=redemption).exists()


def answer(*, objection: Objection, answer: str, reply: str, by: Any, at: datetime) -> Objection:
    """This function will answer an objection (accepted, declined), or withdraw it (its own operator).

    An answer begins the term anew. Raises CannotObject: wrong_role, answered_before.
    """
    with transaction.atomic():
        statement = locked(objection.statement)
        objection = Objection.objects.select_for_update().get(pk=objection.pk)
        by = as_now(by)
        if objection.answer:
            raise CannotObject("answered_before")
        if answer == Objection.Answer.WITHDRAWN:
            allowed = by.holds("operator_manager", operator=statement.lease.operator)
        else:
            allowed = by.holds("bureau_clerk")
        if not allowed:
            raise CannotObject("wrong_role")
        objection.answer, objection.reply = answer, reply.strip()[:500]
        objection.answered_by, objection.answered_at = by, at
        objection.save(update_fields=["answer", "reply", "answered_by", "answered_at"])
        record(
            by=by,
            at=at,
            action="answer_objection",
            subject=str(statement),
            detail={"objection": objection.pk, "answer": answer},
        )
    return objection


def term_ends_on(statement: Statement, *, answered_at: datetime | None = None) -> date:
    """The last day on which the operator may object: a term after the month ended, after the figures were
    drawn up, and after the last answer (`answered_at`), whichever is latest."""
    begins = [last_day(statement.month), day_of(statement.drawn_at)]
    if answered_at:
        begins.append(day_of(answered_at))
    return max(begins) + timedelta(days=TERM_DAYS)


def deem_silent_confirmed(*, today: date, by: Any, at: datetime) -> list[Statement]:
    """This function will record as confirmed what no operator objected to within its term.

    Each in its own transaction; run again it finds nothing.
    """
    waiting = (
        Statement.objects.filter(state=Statement.State.DRAFT)
        .select_related("lease")
        .annotate(last_answer=Max("objections__answered_at"))
        .order_by("month", "lease__code")
    )
    return [
        statement
        for statement in waiting
        if term_ends_on(statement, answered_at=statement.last_answer) < today
        and deem_confirmed(statement=statement, by=by, at=at)
    ]
