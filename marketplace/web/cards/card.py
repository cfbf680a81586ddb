"""The printed voucher card: a static QR code and twelve digits, both with the PIN, for who has no telephone."""

import io
import json
from functools import lru_cache
from pathlib import Path

import segno
import typst
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vouchers.codes import digits
from vouchers.codes.operations import CardCode

TEMPLATE = Path(__file__).with_name("card.typ")
FONT = "Noto Sans CJK SC"


class NoChineseFont(Exception):
    """This machine cannot print Chinese: the font is missing."""

    def __str__(self) -> str:
        return f"The font {FONT} is missing on this machine (Debian: apt install fonts-noto-cjk)."


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    fonts = typst.Fonts(include_system_fonts=True)
    if FONT not in fonts.families():
        raise NoChineseFont
    return fonts


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
    }
    drawing = io.BytesIO()
    segno.make(code.text, error="q", boost_error=False).save(drawing, kind="svg", border=2)
    return typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=_fonts(),
        sys_inputs={"said": json.dumps(said), "qr": drawing.getvalue().decode()},
    )
