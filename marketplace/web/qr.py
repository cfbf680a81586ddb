"""QR codes as SVG paths: no style, no script, nothing to fetch."""

from typing import NamedTuple

import segno

QUIET = 2  # modules of white on every side; what stands around is white too


class Drawing(NamedTuple):
    """`path` in modules for a viewBox of `size` by `size`."""

    path: str
    size: int


def on_screen(text: str) -> Drawing:
    """Large modules for a camera that looks at a screen."""
    return _drawn(text, error="m")


def _drawn(text: str, *, error: str) -> Drawing:
    matrix = [bytes(row) for row in segno.make(text, error=error, mask=0, boost_error=False).matrix]
    runs = []
    for down, row in enumerate(matrix, QUIET):
        place = 0
        while (place := row.find(1, place)) >= 0:
            end = row.find(0, place)
            end = len(row) if end < 0 else end
            runs.append(f"M{place + QUIET} {down}h{end - place}v1h-{end - place}z")
            place = end
    return Drawing("".join(runs), len(matrix) + 2 * QUIET)
