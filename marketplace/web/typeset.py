"""PDF set by Typst, and QR codes as drawings for it.

Typst gets what is said as JSON, never as markup: what stands in a name cannot set anything.
"""

import io
import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import segno
import typst
from django.utils.translation import gettext as _

FONT = "Noto Sans CJK SC"


class NoChineseFont(Exception):
    """This machine cannot print Chinese: the font is missing."""

    def __str__(self) -> str:
        return _("The font %(font)s is missing on this machine (Debian: apt install fonts-noto-cjk).") % {
            "font": FONT
        }


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    fonts = typst.Fonts(include_system_fonts=True)
    if FONT not in fonts.families():
        raise NoChineseFont
    return fonts


@lru_cache(maxsize=8)
def _template(path: Path) -> bytes:
    return path.read_bytes()


def pdf(template: Path, said: dict[str, Any], *, at: datetime | None = None) -> bytes:
    """The template with what is said, `sys.inputs.said`, as PDF; the same with `at` gives the same bytes.

    Raises NoChineseFont: without it there would be boxes in place of words.
    """
    return typst.compile(
        _template(template),
        format="pdf",
        font_paths=_fonts(),
        sys_inputs={"said": json.dumps(said, ensure_ascii=False)},
        timestamp=int(at.timestamp()) if at else None,
    )


def qr(text: str, *, error: str, border: int, dark: str = "#000", larger: bool = True) -> str:
    """The text as an SVG of squares. `larger`: more correction where the size does not grow by it."""
    drawn = io.BytesIO()
    code = segno.make(text, error=error, micro=False, boost_error=larger)
    code.save(drawn, kind="svg", border=border, dark=dark)
    return drawn.getvalue().decode()
