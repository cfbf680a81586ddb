"""What a terminal signs of a serving that it took without a network, and how that is checked. Pure.

A terminal has a pair of keys that was made on the device and cannot be read out of it: Ed25519 where the browser has
it, else ECDSA on P-256 with SHA-256 (ES256). A public key is written raw: 32 bytes, or the 65 of an uncompressed
point; a signature is 64 bytes, that of ES256 as r and s. The fingerprint of a key is the SHA-256 of these bytes.

Signed are lines of UTF-8, each ended by a line feed:

    yiquan offline 1
    fingerprint of the key
    number of the record, counted from 1 for this key
    digest of the record before it; 64 zeros for the first
    key of the serving
    moment, in milliseconds since 1970
    premises
    service
    quantity
    channel, or nothing
    token or code, and the SHA-256 of what was shown
    yuan promised, or nothing

So a record cannot be changed, added or left out of the middle without being noticed. The PIN is not among them: by a
signature over it six digits could be found by trying. The digest of a record is the SHA-256 of its lines.

marketplace/static/js/counter/signing.js writes the same; tests/vouchers/offline_signatures.json holds both to it.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from vouchers.terminals.asking import Asked

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = "0" * 64  # before the first record there is none


class Algorithm(StrEnum):
    ED25519 = "Ed25519"
    ES256 = "ES256"


class Signature(NamedTuple):
    """What came with a serving: its number, the digest of the record before it, and the signature itself."""

    number: int
    previous: str
    value: bytes


def fingerprint(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()


def registration(public: bytes) -> str:
    """What is signed to show that the device holds the key."""
    return f"yiquan terminal key 1\n{fingerprint(public)}\n"


def record(*, public: bytes, key: str, asked: Asked, promised: Decimal | None, signature: Signature) -> str:
    """The lines of one serving."""
    assert asked.happened_at is not None
    way = "token" if "token" in asked.credential else "code"
    shown = hashlib.sha256(asked.credential[way].encode()).hexdigest()
    lines = (
        "yiquan offline 1",
        fingerprint(public),
        str(signature.number),
        signature.previous,
        key,
        str((asked.happened_at - EPOCH) // timedelta(milliseconds=1)),
        asked.premises,
        asked.service,
        str(asked.quantity),
        asked.channel or "",
        f"{way} {shown}",
        "" if promised is None else f"{promised:.2f}",
    )
    return "".join(f"{line}\n" for line in lines)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_signed(*, algorithm: str, public: bytes, text: str, value: bytes) -> bool:
    """Whether the holder of this key has signed this text. What cannot be a key has signed nothing."""
    try:
        if algorithm == Algorithm.ED25519:
            Ed25519PublicKey.from_public_bytes(public).verify(value, text.encode())
            return True
        if algorithm != Algorithm.ES256 or len(public) != 65 or len(value) != 64:
            return False
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
        pair = encode_dss_signature(int.from_bytes(value[:32]), int.from_bytes(value[32:]))
        point.verify(pair, text.encode(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
