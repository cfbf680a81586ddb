"""Bearer tokens: what they look like and what is kept of them. Pure but for the randomness."""

import hashlib
import re
import secrets

TERMINAL, PARTNER = "yt", "yp"
TOKEN = re.compile(r"(yt|yp)_([A-Za-z0-9_-]{43})")


def new_token(kind: str) -> str:
    """32 random bytes behind a mark that says what it is (and lets a leaked one be found by its look)."""
    return f"{kind}_{secrets.token_urlsafe(32)}"


def kind_of(token: str) -> str | None:
    """TERMINAL, PARTNER, or None for what cannot be a token."""
    found = TOKEN.fullmatch(token)
    return found[1] if found else None


def digest(token: str) -> bytes:
    """SHA-256. Plain is enough: nobody guesses 32 random bytes, and none are alike."""
    return hashlib.sha256(token.encode()).digest()
