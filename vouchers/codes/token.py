"""The signed code that an elder shows: one that changes every 30 seconds, and one printed on paper. Pure.

79 bytes, written in base45 (RFC 9285) behind "YQ:", 122 characters of a QR code's alphanumeric mode: version 5
with error correction M, version 7 with Q.

     1  kind      1 moving: the serial is a window; 2 paper: the serial is the number of the card
     1  key id    which of the keys signed
     1  audience  for whom it is meant
     8  number    the elder's, opaque: it tells nothing and leads nowhere without the register
     4  serial    big-endian, as all numbers here
    64  signature Ed25519 over CONTEXT and the 15 bytes before

marketplace/static/js/codes.js reads the same; tests/vouchers/codes.json holds both to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache

import base45
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PREFIX = "YQ:"
CONTEXT = b"yiquan token 1\0"
SIGNED_BYTES, BYTES = 15, 79
LENGTH = 122  # characters, with the prefix
WINDOW_SECONDS = 30


class Kind(IntEnum):
    MOVING = 1
    PAPER = 2


class Audience(IntEnum):
    COUNTER = 1  # whoever takes vouchers
    RECORD = 2  # whoever may read what an elder has received


class NotAToken(Exception):
    """`code` is malformed, unknown_key, bad_signature or wrong_audience."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says. `serial` is a window or the number of a printed card."""

    kind: Kind
    audience: Audience
    number: int
    serial: int


def window_of(at: datetime) -> int:
    """The window of 30 seconds in which an instant lies, counted from 1970."""
    return int(at.timestamp()) // WINDOW_SECONDS


def starts_at(window: int) -> datetime:
    return datetime.fromtimestamp(window * WINDOW_SECONDS, UTC)


@lru_cache(maxsize=16)
def _signer(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=16)
def public_key(seed: bytes) -> bytes:
    """The 32 bytes by which everybody may check what the key with this seed has signed."""
    return _signer(seed).public_key().public_bytes_raw()


@lru_cache(maxsize=16)
def _checker(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


def make(token: Token, *, key_id: int, seed: bytes) -> str:
    """The text of a token, signed by the key `key_id` (1 to 255) with this seed of 32 bytes."""
    head = bytes([token.kind, key_id, token.audience]) + token.number.to_bytes(8) + token.serial.to_bytes(4)
    return PREFIX + base45.b45encode(head + _signer(seed).sign(CONTEXT + head)).decode()


def read(text: str, *, keys: Mapping[int, bytes], audience: Audience) -> Token:
    """What a genuine token says; whether it may still be used is for the caller to judge.

    `keys` are public keys by id. Only one spelling of a token is taken. Raises NotAToken.
    """
    data = _bytes(text)
    head, signature = data[:SIGNED_BYTES], data[SIGNED_BYTES:]
    public = keys.get(head[1])
    if public is None:
        raise NotAToken("unknown_key")
    try:
        _checker(public).verify(signature, CONTEXT + head)
    except InvalidSignature:
        raise NotAToken("bad_signature") from None
    if head[0] not in tuple(Kind):
        raise NotAToken("malformed")
    if head[2] != audience:
        raise NotAToken("wrong_audience")
    return Token(Kind(head[0]), audience, int.from_bytes(head[3:11]), int.from_bytes(head[11:15]))


def looks_like_one(text: str) -> bool:
    """Whether this was meant to be a token, genuine or not."""
    return text.startswith(PREFIX)


def _bytes(text: str) -> bytes:
    if len(text) != LENGTH or not looks_like_one(text):
        raise NotAToken("malformed")
    written = text.removeprefix(PREFIX)
    try:
        data = base45.b45decode(written)
    except ValueError:
        raise NotAToken("malformed") from None
    if len(data) != BYTES or base45.b45encode(data).decode() != written:
        raise NotAToken("malformed")
    return data
