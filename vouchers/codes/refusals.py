"""Why a code or PIN is not taken: closed lists of codes, each with a plain sentence that says what can be done."""

from django.utils.translation import gettext_lazy as _

from ledger.refusals import Refusal

SENTENCES = {
    "token_invalid": _(
        "This is not a code of ours, or it was damaged. Scan it again, or type the twelve digits."
    ),
    "token_expired": _("This code is out of date. Ask for the code that is shown now."),
    "token_used": _(
        "This code was used at another counter. Wait for the next one: it changes every 30 seconds."
    ),
    "card_replaced": _("This card was replaced by a newer one. Use the new card, or call the hotline."),
    "unknown_reference": _("No elder has this code. Check the digits, or scan the card."),
    "pin_needed": _("A card or a typed code needs the six-digit PIN as well."),
    "pin_not_set": _("No PIN has been set for this person yet. The hotline helps to set one."),
    "pin_wrong": _("The PIN is wrong. After five wrong ones it is closed for 15 minutes."),
    "pin_locked": _(
        "Five wrong PINs: closed for 15 minutes. The changing code on the phone works all the same."
    ),
}

PIN_SENTENCES = {
    "not_six_digits": _("A PIN is six digits, such as those of a day that only you remember."),
    "too_easy": _(
        "This PIN is too easy to guess: no run such as 123456, no repeated digits, no birth date, "
        "no piece of the ID or telephone number."
    ),
}


class CannotIdentify(Refusal):
    """Refused. `code` is one of SENTENCES, `str()` the sentence for a person; `elder` is the elder's code where
    the credential was genuine and only its use was refused."""

    sentences = SENTENCES

    def __init__(self, code: str, *, elder: str = "") -> None:
        super().__init__(code)
        self.elder = elder


class CannotSetPin(Refusal):
    """Refused; the PIN is as before. `code` is one of PIN_SENTENCES."""

    sentences = PIN_SENTENCES
