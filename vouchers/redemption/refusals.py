"""Why a redemption, order or reversal is refused: a closed list of codes, each with a plain sentence."""

from django.utils.translation import gettext_lazy as _

from ledger.refusals import Refusal

SENTENCES = {
    "unknown_reference": _("The elder, premises, service or key is not known here. Check what was typed."),
    "no_lease": _("No lease of these premises is in force on the day of service."),
    "operator_suspended": _(
        "The operator is suspended on that day, or its last safety check is over a year old."
    ),
    "service_not_offered": _("These premises do not offer this service."),
    "elder_deceased": _(
        "The register says that this person had died by that day. Call the bureau if this is wrong."
    ),
    "no_price": _("No price is set for this service, age and day."),
    "daily_limit": _("This person has already had as much of this service today as one day allows."),
    "nothing_spendable": _(
        "No voucher fits this service and no subsidy applies: it can be paid in full instead."
    ),
    "out_of_time": _("The time of service lies too far ahead, or more than 72 hours back."),
    "key_reused": _("This key was used before for something else. Use a new key for each service."),
    "not_held": _("This order is no longer open."),
}


class CannotRedeem(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES, `str()` the sentence for a person."""

    sentences = SENTENCES


class UnderWay(Exception):
    """The same key is being redeemed by another delivery right now: ask again in a moment."""
