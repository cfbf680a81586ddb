"""Why an order is not placed, changed or cancelled."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger.refusals import Refusal
from providers.ordering.refusals import CannotBook
from vouchers.delegates.operations import CannotAct
from vouchers.redemption.refusals import CannotRedeem

SENTENCES = {
    "empty": _("Nothing was chosen yet. Choose a service first."),
    "no_address": _("Say where the service is to be brought."),
    "too_late_to_cancel": _("It is too late to change or cancel this here. Call the hotline, we will help."),
    "closed": _("This order is closed already."),
    "not_standing": _("This service cannot be ordered again and again."),
}
CAUSES = (CannotRedeem, CannotBook, CannotAct)


class CannotOrder(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES or of the refusal that caused it; `str()` is the
    sentence for a person, which names the service where several were ordered."""

    sentences = SENTENCES

    def __init__(self, code: str, *, cause: Exception | None = None, what: Any = "") -> None:
        super().__init__(code)
        self.cause, self.what = cause, what

    def __str__(self) -> str:
        sentence = str(self.cause) if self.cause else super().__str__()
        return f"{self.what}: {sentence}" if self.what else sentence
