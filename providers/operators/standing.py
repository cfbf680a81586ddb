"""The end of a suspension: a day that only a person can tell."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.refusals import Refusal
from providers.operators.models import Operator, Suspension

SENTENCES = {
    "not_suspended": _("This operator is not suspended: somebody has ended the suspension meanwhile."),
    "too_early": _("An operator is reinstated after its suspension began."),
}


class CannotReinstate(Refusal):
    """`code` is one of SENTENCES. Nothing is written."""

    sentences = SENTENCES


@transaction.atomic
def reinstate(*, operator: Operator, on: date, reason: str, by: Any, at: datetime) -> Suspension:
    """This function will end the open suspension of an operator: it may serve again on the day `on`.

    Raises CannotReinstate.
    """
    Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    found = operator.suspensions.filter(reinstated_on=None).order_by("-starts_on").first()
    if found is None:
        raise CannotReinstate("not_suspended")
    if on <= found.starts_on:
        raise CannotReinstate("too_early")
    found.reinstated_on = on
    found.save(update_fields=["reinstated_on"])
    detail = {"reinstated_on": ["", on.isoformat()], "reason": ["", reason]}
    record(by=by, at=at, action="reinstate_operator", subject=operator.code, detail=detail)
    return found
