"""The printed voucher card: a static QR code and twelve digits, both with the PIN, for who has no telephone."""

from pathlib import Path

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marketplace.web import typeset
from vouchers.codes import digits
from vouchers.codes.operations import CardCode

TEMPLATE = Path(__file__).with_name("card.typ")


def card(*, name: str, code: CardCode) -> bytes:
    """The card as PDF, A5. `name` is masked: a card may be lost. Raises NoChineseFont."""
    said = {
        "lang": "zh" if (get_language() or "").startswith("zh") else "en",
        "site": _("Yiquan"),
        "title": _("Voucher card"),
        "name": name,
        "alt": _("QR code for the counter"),
        "digits": _("No scanner? Say these digits"),
        "typed": digits.grouped(code.typed),
        "steps": [
            _("Show this card at the counter."),
            _("Type your six-digit PIN yourself."),
            _("Lost it? Call us, and it is worth nothing to others."),
        ],
        "help": _("Need help?"),
        "hotline": settings.HOTLINE,
        "card": _("Card no. %(number)s") % {"number": code.card},
        "qr": typeset.qr(code.text, error="q", border=2, larger=False),
    }
    return typeset.pdf(TEMPLATE, said)
