"""One redemption taken back at the bureau's desk (rules.md section 4: wrong elder, service refused, fraud)."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now
from ledger.refusals import Refusal
from vouchers.redemption.models import Redemption, Reversal
from vouchers.redemption.operations import AlreadyReversed, reverse

SENTENCES = {
    "wrong_role": _("Only the bureau's clerk or approver may reverse a redemption here."),
    "reversed_before": _("This redemption was reversed before. It cannot be reversed twice."),
}


class CannotReverse(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def may_reverse(by: Any) -> bool:
    """Whether this person may reverse redemptions, whenever they were made."""
    return by.holds("bureau_clerk") or by.holds("bureau_approver")


def reverse_at_desk(*, redemption: Redemption, reason: str, by: Any, at: datetime) -> Reversal:
    """This function will undo one whole redemption, dated now, for a reason that stands with it.

    Raises CannotReverse: wrong_role, reversed_before.
    """
    with transaction.atomic():
        by = as_now(by)
        if not may_reverse(by):
            raise CannotReverse("wrong_role")
        try:
            return reverse(
                redemption=redemption, reversed_at=at, reason=reason.strip(), by=by, at=at, channel="web"
            )
        except AlreadyReversed:
            raise CannotReverse("reversed_before") from None
