"""Encryption of personal numbers at rest: AES-256-GCM, bound to field and row; keyed HMAC for look-up.

A sealed value is: 1 byte length of key id, key id, 12 byte nonce, ciphertext with tag. Keys by id come
from settings.FIELD_KEYS (first is current), the look-up key from settings.LOOKUP_KEY.
"""

import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class CannotOpen(Exception):
    """A sealed value does not belong to this row or its key is not known."""


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def seal(value: str, *, field: str, row: str) -> bytes:
    return seal_bytes(value.encode(), field=field, row=row)


def seal_bytes(value: bytes, *, field: str, row: str) -> bytes:
    kid, key = next(iter(settings.FIELD_KEYS.items()))
    nonce = os.urandom(12)
    name = kid.encode()
    return bytes([len(name)]) + name + nonce + _cipher(key).encrypt(nonce, value, _bound(field, row))


def open_sealed(sealed: bytes | memoryview, *, field: str, row: str) -> str:
    """Raises CannotOpen when the value was moved from another row or field, changed, or its key is gone."""
    return open_bytes(sealed, field=field, row=row).decode()


def open_bytes(sealed: bytes | memoryview, *, field: str, row: str) -> bytes:
    """The same for bytes that are no text."""
    data = bytes(sealed)
    end = 1 + data[0]
    kid = data[1:end].decode()
    key = settings.FIELD_KEYS.get(kid)
    if key is None:
        raise CannotOpen(f"no field key {kid!r}")
    try:
        return _cipher(key).decrypt(data[end : end + 12], data[end + 12 :], _bound(field, row))
    except InvalidTag:
        raise CannotOpen(f"{field} of {row} was not sealed for this row") from None


def lookup(value: str, *, field: str) -> bytes:
    """A keyed digest by which equal values are found without opening any."""
    return hmac.digest(settings.LOOKUP_KEY, f"{field}\0{value}".encode(), hashlib.sha256)


def _bound(field: str, row: str) -> bytes:
    return f"elder\0{field}\0{row}".encode()
