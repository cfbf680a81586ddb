"""Six-digit PINs: which are refused, and how they are kept. No database.

Kept is a salt and scrypt over a keyed digest: a million PINs are soon tried by whoever has the hash, so the
key (derived from settings.LOOKUP_KEY, never in the database) is what protects them, and slowness comes second.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise

from django.conf import settings

SALT_BYTES = 16


def is_six_digits(pin: str) -> bool:
    return re.fullmatch(r"[0-9]{6}", pin) is not None


def is_easy(pin: str, *, birth_on: date, numbers: Iterable[str] = ()) -> bool:
    """Whether strangers would try this one first: a run (123456), one digit or a pattern over and over (111111,
    121212, 123123), pairs of a run (112233), the birth date in a usual order, or a piece of `numbers` (ID, phone).
    """
    pattern = pin in {pin[:1] * 6, pin[:2] * 3, pin[:3] * 2}
    pairs = pin[::2] == pin[1::2] and _is_run(pin[::2])
    born = {birth_on.strftime(layout) for layout in ("%y%m%d", "%d%m%y", "%m%d%y", "%Y%m")}
    known = [birth_on.strftime("%Y%m%d"), *numbers]
    return pattern or pairs or _is_run(pin) or pin in born or any(pin in number for number in known)


def _is_run(digits: str) -> bool:
    steps = {int(after) - int(before) for before, after in pairwise(digits)}
    return steps in ({1}, {-1})


def hashed(pin: str, *, elder: str) -> bytes:
    salt = os.urandom(SALT_BYTES)
    return salt + _slow(pin, elder, salt)


def matches(pin: str, kept: bytes | memoryview, *, elder: str) -> bool:
    data = bytes(kept)
    return hmac.compare_digest(_slow(pin, elder, data[:SALT_BYTES]), data[SALT_BYTES:])


def digest(pin: str, *, whose: str) -> str:
    """A keyed digest by which a repeated request is known as the same (rules.md 4.1): not the PIN, and
    worthless without the key."""
    return hmac.digest(_key("content"), f"{whose}\0{pin}".encode(), hashlib.sha256).hex()


def _slow(pin: str, elder: str, salt: bytes) -> bytes:
    keyed = hmac.digest(_key("kept"), f"{elder}\0{pin}".encode(), hashlib.sha256)
    return hashlib.scrypt(keyed, salt=salt, n=2**14, r=8, p=1, dklen=32, maxmem=2**26)


def _key(purpose: str) -> bytes:
    return hmac.digest(settings.LOOKUP_KEY, f"pin {purpose}".encode(), hashlib.sha256)
