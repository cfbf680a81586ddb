"""A photo keeps what it shows and loses everything else; what is no photo, or too large, is refused in words."""

import struct
import zlib
from io import BytesIO

import pytest
from django.db import connection
from PIL import Image

from tests import story
from vouchers.photos.cleaning import MOST_BYTES, SIDE, CannotTake, clean
from vouchers.photos.operations import keep

WHERE = b"27.83N 113.15E"


def photo(width: int = 400, height: int = 200, *, kind: str = "JPEG", turned: bool = False) -> bytes:
    """Left half red, right half blue, with an EXIF block that tells the place, a comment, and a thumbnail's worth."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[0x010E] = WHERE.decode()  # ImageDescription
    exif[0x8825] = {1: "N", 2: (27.0, 49.0, 48.0)}  # GPS
    if turned:
        exif[0x0112] = 6  # held upright: turn by 90 degrees
    written = BytesIO()
    extra = {"comment": WHERE} if kind == "JPEG" else {}
    image.save(written, kind, exif=exif, **extra)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_but_the_picture_is_kept(kind):
    data = photo(kind=kind)
    assert WHERE in data  # control
    kept = clean(data)
    assert WHERE not in kept.data
    with Image.open(BytesIO(kept.data)) as image:
        assert image.format == "JPEG" and not image.getexif() and "comment" not in image.info
        assert image.getpixel((20, 100))[0] > 200 > 60 > image.getpixel((380, 100))[0]


def test_it_stands_upright_and_is_made_small():
    kept = clean(photo(4000, 2000, turned=True))
    assert (kept.width, kept.height) == (SIDE // 2, SIDE)
    with Image.open(BytesIO(kept.data)) as image:
        assert image.getpixel((400, 100))[0] > 200 > 60 > image.getpixel((400, 1500))[0]  # red is on top


def test_for_a_telephones_page_it_is_made_smaller_still():
    noise = Image.effect_noise((1200, 900), 90).convert("RGB")
    written = BytesIO()
    noise.save(written, "JPEG", quality=95)
    whole, small = clean(written.getvalue()), clean(written.getvalue(), side=320, most=30_000)
    assert (small.width, small.height) == (320, 240) and len(small.data) <= 30_000
    assert len(whole.data) > 30_000 and whole.width == 1200  # control


def bomb(width: int, height: int) -> bytes:
    """The head of a PNG that claims a size; no pixel of it is there."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "photo_empty"),
        (b"GIF89a" + b"\0" * 50, "photo_unreadable"),
        (b"<svg onload='alert(1)'/>", "photo_unreadable"),
        (photo()[:300], "photo_unreadable"),
        (bomb(5_000, 5_000), "photo_too_large"),
        (bomb(10_000, 10_000), "photo_too_large"),
        (bomb(60_000, 60_000), "photo_too_large"),
        (b"\xff\xd8" + b"\0" * MOST_BYTES, "photo_too_large"),
    ],
)
def test_what_cannot_be_taken_is_said(data, code):
    with pytest.raises(CannotTake) as refusal:
        clean(data)
    assert refusal.value.code == code and len(str(refusal.value)) > 10


def test_it_lies_sealed(db):
    kept = keep(photo=clean(photo()), by="clerk", at=story.moment("2026-01-05"))
    kept.refresh_from_db()
    assert kept.picture()[:2] == b"\xff\xd8"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM vouchers_photo")
        assert b"JFIF" not in bytes(cursor.fetchone()[0])
