"""What is kept of a photo: what it shows, and nothing else. Pure.

A telephone writes into a photo where it was taken, by which device, and sometimes a small copy of the picture before it
was cut. So nothing of a file is kept but its pixels: they are drawn onto a fresh canvas and written anew.
"""

from functools import cache
from io import BytesIO
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from ledger.refusals import Refusal

MB = 1024 * 1024
MOST_BYTES = 15 * MB
MOST_PIXELS = 50_000_000  # of a JPEG, which is read at the size that is needed
MOST_PIXELS_OTHERWISE = 20_000_000  # of others, which are read whole: 80 MB of memory
SIDE = 1600  # pixels of the longer side that are kept: a grab rail and its screws can be seen
QUALITY = 82
LOWER = (72, 62, 52, 42)  # where a picture must be small, until it is
# A JPEG with a second one behind it, as some telephones write, is opened as JPEG and calls itself MPO.
FORMATS = ("JPEG", "PNG", "WEBP")

SENTENCES = {
    "photo_empty": _("This photo is empty. Take it again."),
    "photo_too_large": _("This photo is larger than 15 MB. Take it again with a smaller size."),
    "photo_unreadable": _("This is not a photo that can be read. Send a JPEG, PNG or WebP picture."),
}


class CannotTake(Refusal):
    """Refused; nothing is kept. `code` is one of SENTENCES, `str()` the sentence for a person."""

    sentences = SENTENCES


class Clean(NamedTuple):
    """`data` is a JPEG without any metadata, upright; sizes are pixels."""

    data: bytes
    width: int
    height: int


@cache
def blank() -> bytes:
    """What stands where a picture is gone."""
    written = BytesIO()
    Image.new("RGB", (160, 120), "#e9e6df").save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def clean(data: bytes, *, side: int = SIDE, most: int | None = None) -> Clean:
    """This function will draw a photo anew: upright, at most `side` pixels long, without anything written into it.

    `most`: bytes that it shall not exceed, for pages that telephones load; details are given up for that.
    Memory is bounded before a pixel is read. Raises CannotTake.
    """
    if not data:
        raise CannotTake("photo_empty")
    if len(data) > MOST_BYTES:
        raise CannotTake("photo_too_large")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as photo:
            jpeg = photo.format in ("JPEG", "MPO")
            if photo.width * photo.height > (MOST_PIXELS if jpeg else MOST_PIXELS_OTHERWISE):
                raise CannotTake("photo_too_large")
            photo.draft("RGB", (side, side))  # a JPEG is decoded at a half, a quarter or an eighth
            upright = ImageOps.exif_transpose(photo)
            upright.thumbnail((side, side))
            canvas = Image.new("RGB", upright.size, "white")
            shown = upright.convert("RGBA") if upright.has_transparency_data else upright.convert("RGB")
            canvas.paste(shown, mask=shown if shown.mode == "RGBA" else None)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise CannotTake("photo_too_large") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise CannotTake("photo_unreadable") from None
    for quality in (QUALITY, *LOWER):
        written = BytesIO()
        canvas.save(written, "JPEG", quality=quality, optimize=True)
        if most is None or written.tell() <= most:
            break
    return Clean(written.getvalue(), canvas.width, canvas.height)
