"""Which step of a statement each role takes, how it is called, and whether it may be taken now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from marketplace.accounts.models import Role
from vouchers.models import Approval, Objection, Statement
from vouchers.settlement.operations import CannotSettle, check_step

Step = Approval.Step


@dataclass(frozen=True)
class Words:
    """How one role's step is called: on the page, on its button, when it is done."""

    title: Promise
    button: Promise
    many: Promise
    done: Promise


WORDS = {
    Role.OPERATOR_MANAGER: Words(
        gettext_lazy("Confirm the statement"),
        gettext_lazy("Confirm: the figures are right"),
        gettext_lazy("Confirm what is chosen"),
        gettext_lazy("Confirmed. It now waits for the street."),
    ),
    Role.BUREAU_CLERK: Words(
        gettext_lazy("Record the operator's signed paper"),
        gettext_lazy("Record: the signed paper is here"),
        gettext_lazy("Record the signed papers of what is chosen"),
        gettext_lazy("Recorded from the signed paper. It now waits for the street."),
    ),
    Role.STREET_OFFICER: Words(
        gettext_lazy("Review the statement"),
        gettext_lazy("Reviewed: the services were delivered"),
        gettext_lazy("Mark as reviewed what is chosen"),
        gettext_lazy("Reviewed. It now waits for the bureau."),
    ),
    Role.BUREAU_APPROVER: Words(
        gettext_lazy("Approve the statement"),
        gettext_lazy("Approve and post"),
        gettext_lazy("Approve and post what is chosen"),
        gettext_lazy("Approved and posted."),
    ),
}
STEP_OF: dict[str, str] = {
    Role.OPERATOR_MANAGER: Step.CONFIRM,
    Role.BUREAU_CLERK: Step.CONFIRM,
    Role.STREET_OFFICER: Step.REVIEW,
    Role.BUREAU_APPROVER: Step.APPROVE,
}


def refusals(statements: Iterable[Statement], user: Any) -> dict[int, CannotSettle | None]:
    """By statement id, why this person may not take their step of it now; None where they may. Two queries."""
    rows = list(statements)
    did = set(
        Approval.objects.filter(statement__in=rows, by=user, round=F("statement__round")).values_list(
            "statement_id", flat=True
        )
    )
    objected = set(
        Objection.objects.filter(statement__in=rows, answer="").values_list("statement_id", flat=True)
    )
    return {
        row.pk: refusal(row, user, did_another=row.pk in did, objection_open=row.pk in objected)
        for row in rows
    }


def refusal(
    statement: Statement, user: Any, *, did_another: bool, objection_open: bool
) -> CannotSettle | None:
    """Why this person may not take their step of this statement now; None where they may."""
    try:
        check_step(
            statement,
            step=STEP_OF[user.role],
            by=user,
            did_another=did_another,
            objection_open=objection_open,
        )
    except CannotSettle as why:
        return why
    return None
