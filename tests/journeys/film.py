"""A camera that sees one QR code: Chromium's flags for a video of it."""

import io
from pathlib import Path

import segno
from PIL import Image


def filmed(text: str, folder: Path) -> list[str]:
    film = folder / "code.mjpeg"
    film.write_bytes(_frame(text) * 4)
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]


def _frame(text: str) -> bytes:
    """As a camera would see it."""
    code = io.BytesIO()
    segno.make(text, error="m").save(code, kind="png", scale=6, border=6)
    frame = Image.new("RGB", (640, 480), "#d8d2c4")
    image = Image.open(code).convert("RGB")
    frame.paste(image, ((640 - image.width) // 2, (480 - image.height) // 2))
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=90)
    return out.getvalue()
