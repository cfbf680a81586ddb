"""Why something told of a visit is not taken: a closed list of codes, each with a plain sentence."""

from django.utils.translation import gettext_lazy as _

from ledger.refusals import Refusal

SENTENCES = {
    "key_reused": _("This was sent before with other contents. Open the visit again."),
    "closed": _("This order is closed already: it was cancelled, delivered or did not take place."),
    "not_yours": _("This visit is not assigned to you any more. Ask the office."),
    "too_soon": _("The time lies ahead. Check the clock of this phone."),
    "out_of_time": _("This lies more than 72 hours back: too late to be told here. Tell the office."),
    "wrong_day": _("This visit is ordered for another day."),
    "elsewhere": _("You are still checked in at another visit. Leave there first, then check in here."),
    "overlaps": _("At that time you were at another visit."),
    "arrived_before": _("You are checked in at this visit already."),
    "not_arrived": _("First check in: press “I have arrived”."),
    "left_before": _("You have left this visit already."),
    "before_arrival": _("This lies before the time at which you arrived."),
    "too_many": _("More than was ordered cannot be delivered. Order the rest separately."),
    "another_elder": _(
        "This code belongs to somebody else, not to the elder of this visit. Ask the elder for their own."
    ),
    "by_caregiver": _("The elder confirms, not who cares for them. The hotline can ring the elder back."),
    "confirmed_before": _("The elder has confirmed this visit already."),
    "not_waiting": _("This visit does not wait for a call-back."),
    "photo_missing": _("Choose or take a photo first."),
    "photo_too_many": _("Six photos are enough for one visit."),
}


class CannotReport(Refusal):
    """Not taken; nothing has changed. `code` is one of SENTENCES or of the refusal that caused it, `str()` the
    sentence for a person."""

    sentences = SENTENCES

    def __init__(self, code: str, *, cause: Exception | None = None) -> None:
        super().__init__(code)
        self.cause = cause

    def __str__(self) -> str:
        return str(self.cause) if self.cause else super().__str__()
