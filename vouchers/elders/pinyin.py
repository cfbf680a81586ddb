"""How a name may be typed: its characters, their pinyin in every reading, their first letters. Pure."""

import itertools
import unicodedata
from functools import lru_cache

MOST_SPELLINGS = 64  # a name of four characters with three readings each has 81; nobody types the last ones


def keys_of(name: str) -> set[str]:
    """Everything that leads to this name: 单秀英 gives itself, danxiuying, shanxiuying, chanxiuying, dxy, sxy, cxy."""
    readings = [_readings(character) for character in plain(name)]
    if not readings:
        return set()
    spellings = list(itertools.islice(itertools.product(*readings), MOST_SPELLINGS))
    keys = {plain(name)} | {"".join(spelling) for spelling in spellings}
    return keys | {"".join(part[0] for part in spelling) for spelling in spellings}


def plain(text: str) -> str:
    """Half-width, lower case, letters and digits of any script alone: dots between parts of a name do not count."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


@lru_cache(maxsize=30_000)
def _readings(character: str) -> tuple[str, ...]:
    """The readings of one character without tones, the usual one first; what is not Chinese reads as itself.

    Character by character, since a dictionary of phrases would choose one reading and lose the surname's.
    """
    if character.isascii():
        return (character,)
    from pypinyin import Style, pinyin  # it loads a dictionary: only where names are learnt

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="default")[0]
    spelled: list[str] = []
    for reading in found:
        # ü is typed as v, u or yu.
        for way in (
            (reading, reading.replace("v", "u"), reading.replace("v", "yu")) if "v" in reading else (reading,)
        ):
            if way.isalnum() and way not in spelled:
                spelled.append(way)
    return tuple(spelled) or (character,)
