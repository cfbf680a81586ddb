"""Why a place or an appointment cannot be booked: a closed list of codes, each with a plain sentence."""

from django.utils.translation import gettext_lazy as _

from ledger.refusals import Refusal

SENTENCES = {
    "not_ordered": _("This service is not ordered in advance: people come by and are served."),
    "closed_then": _("The place is closed at that time. Choose another day or time."),
    "too_late": _("It is too late to order for that time. Choose a later one."),
    "too_early": _("That day is too far ahead to order for. Choose an earlier one."),
    "full": _("The last place was taken a moment ago. Choose another time."),
    "nobody_free": _("Nobody is free at that time any more. Choose another time."),
    "key_reused": _("This order was sent before with other contents. Start again."),
}


class CannotBook(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES, `str()` the sentence for a person; `key` names
    which of several places it was."""

    sentences = SENTENCES

    def __init__(self, code: str, *, key: str = "") -> None:
        super().__init__(code)
        self.key = key
