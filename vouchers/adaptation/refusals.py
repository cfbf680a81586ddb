"""Why a step of a home adaptation is refused: a closed list of codes, each with a plain sentence."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.refusals import Refusal

SENTENCES = {
    "not_open": gettext_lazy("Somebody has taken this step already, or the one before it is missing."),
    "wrong_role": gettext_lazy("This step is somebody else's."),
    "not_alive": gettext_lazy(
        "The register says that this person has died. Call the bureau if this is wrong."
    ),
    "household_had_one": gettext_lazy("This household has a home adaptation already; it is paid for once."),
    "not_offered": gettext_lazy("This operator does not adapt homes at present. Choose another one."),
    "photo_before_missing": gettext_lazy(
        "Add photos of the home as it is now: acceptance compares with them."
    ),
    "photo_after_missing": gettext_lazy("Add photos of the finished works: acceptance looks at them."),
    "in_the_future": gettext_lazy("This day is still to come."),
    "no_line": gettext_lazy("Choose at least one item."),
    "item_twice": gettext_lazy("An item stands once in a plan: choose one service for it."),
    "not_an_item": gettext_lazy("This service is not offered for home adaptation at these premises."),
    "too_early": gettext_lazy("The works cannot be done before today."),
    "warranty": gettext_lazy("Choose a warranty of one, two or three years."),
    "quantity": gettext_lazy("Say how many: one to twenty."),
    "quote_changed": gettext_lazy(
        "Vouchers or prices have changed since this plan was made. Ask the operator for a new plan."
    ),
    "too_late": gettext_lazy("The works have begun. Call the hotline to stop them."),
    "had_a_part": gettext_lazy(
        "You had a part in this project, or act for this family. Somebody else accepts the works."
    ),
    "say_why": gettext_lazy("Say what is missing or wrong, so that it can be put right."),
}


class CannotAdapt(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES, or that of the refusal which is the cause; `what`
    names the item that it is about."""

    sentences = SENTENCES

    def __init__(
        self, code: str, *, what: Any = "", cause: Exception | None = None, sentence: str = ""
    ) -> None:
        super().__init__(code)
        self.what, self._cause, self._sentence = what, cause, sentence

    def __str__(self) -> str:
        said = self._sentence or (str(self._cause) if self._cause else super().__str__())
        return _("%(what)s: %(why)s") % {"what": self.what, "why": said} if self.what else said
