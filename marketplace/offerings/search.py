"""By what an offer is found: Chinese words of two characters, pinyin, first letters. Pure.

    texts  →  tokens          午餐 → 午, 餐, 午餐; wucan, can; wc, c
    what was typed  →  query  午餐 → '午餐'; 长者餐厅 → '长者' & '者餐' & '餐厅'; wuc → 'wuc':*

Latin letters are sought as the beginning of a word, or of the pinyin (or its first letters) from any
character on, so that "wucan" and "wc" find 长者餐厅午餐. Every reading of a character counts.
"""

import itertools
import re
from collections.abc import Iterable, Iterator

HAN = re.compile(r"[㐀-䶿一-鿿]+")
WORD = re.compile(r"[a-z0-9]+")
MOST_READINGS = 4
LONGEST = 12
"""So many characters from any one on are spelled out: nobody types more pinyin than that."""


def tokens(texts: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for text in texts:
        lowered = text.lower()
        found.update(WORD.findall(lowered))
        for run in HAN.findall(lowered):
            found.update(run)
            found.update(run[i : i + 2] for i in range(len(run) - 1))
            found.update(_spelled(run))
    return found


def _spelled(run: str) -> Iterator[str]:
    """Pinyin and first letters from each character on."""
    readings = [_readings(character) for character in run]
    for start in range(len(run)):
        rest = readings[start : start + LONGEST]
        for spelling in _combined(rest):
            yield "".join(spelling)
            yield "".join(syllable[0] for syllable in spelling)


def _readings(character: str) -> list[str]:
    from pypinyin import Style, pinyin  # it loads a dictionary: only where offers are indexed

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    letters = [reading.replace("ü", "v") for reading in (found[0] if found else []) if reading]
    return list(dict.fromkeys(letters))[:MOST_READINGS]


def _combined(readings: list[list[str]]) -> Iterator[tuple[str, ...]]:
    """The first reading of all, then each other reading by itself: not the product, which grows too fast."""
    if not all(readings):
        readings = list(itertools.takewhile(bool, readings))
    if not readings:
        return
    usual = tuple(reading[0] for reading in readings)
    yield usual
    for place, some in enumerate(readings):
        for other in some[1:]:
            yield (*usual[:place], other, *usual[place + 1 :])


def query(typed: str) -> str:
    """A tsquery; empty when nothing that could be sought was typed."""
    parts: list[str] = []
    lowered = typed.lower().replace("ü", "v")
    for run in HAN.findall(lowered):
        parts += [f"'{run[i : i + 2]}'" for i in range(len(run) - 1)] or [f"'{run}'"]
    # People type pinyin with spaces between the syllables, or an apostrophe.
    letters = re.sub(r"(?<=[a-z])[\s'’]+(?=[a-z])", "", lowered)
    parts += [f"'{word}':*" for word in WORD.findall(letters)]
    return " & ".join(parts[:20])
