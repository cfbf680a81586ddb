"""What the environment says: where state lives, which servers to use, which keys.

Read by manage.py and the start-up code before Django is loaded, and by settings.py after.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]


class Misconfigured(SystemExit):
    """The environment is incomplete; nothing starts. Carries one sentence for the person at the terminal."""


class Keys(NamedTuple):
    secret_key: str
    field_keys: dict[str, bytes]  # kid -> 32 bytes; the first one encrypts, all decrypt
    lookup_key: bytes  # keyed look-up columns; never changes once data exists
    token_keys: dict[int, bytes]  # id -> 32 bytes; the first one signs what elders show, all are taken


NAMES = ("SECRET_KEY", "FIELD_KEYS", "LOOKUP_KEY", "TOKEN_KEYS")


def data_dir() -> Path:
    """The directory of all state. Default: .data beside manage.py."""
    return Path(os.environ.get("DATA_DIR") or PROJECT / ".data").expanduser().absolute()


def uses_embedded_database() -> bool:
    return not os.environ.get("DATABASE_URL")


def uses_embedded_broker() -> bool:
    return not os.environ.get("BROKER_URL")


def flag(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"}


def days(name: str) -> dict[str, int]:
    """ "messages=180,addresses=90" as numbers of days by name."""
    found = {}
    for part in filter(None, (one.strip() for one in os.environ.get(name, "").split(","))):
        key, equals, value = part.partition("=")
        if not (equals and value.strip().isascii() and value.strip().isdigit()):
            raise Misconfigured(f"{name} must read name=days,name=days.")
        found[key.strip()] = int(value)
    return found


def keys() -> Keys:
    """The keys of this installation.

    Given by SECRET_KEY, FIELD_KEYS ("kid:base64 of 32 bytes,...", current first), LOOKUP_KEY (base64 of
    32 bytes) and TOKEN_KEYS (like FIELD_KEYS, ids from 1 to 255). On the embedded database what is missing is made at random, once, and kept in
    DATA_DIR/keys.json, readable by its owner alone. With DATABASE_URL nothing is invented: a second machine
    would invent other keys, and what one encrypts the other could not read.
    """
    given = {name: os.environ.get(name, "") for name in NAMES}
    if not all(given.values()):
        if not uses_embedded_database():
            missing = ", ".join(name for name, value in given.items() if not value)
            raise Misconfigured(
                f"DATABASE_URL is set, so these must be set too: {missing}. Nothing was started."
            )
        kept = _kept_keys(data_dir() / "keys.json")
        given = {name: value or kept[name] for name, value in given.items()}
    return Keys(
        given["SECRET_KEY"],
        _keys_by_id("FIELD_KEYS", given["FIELD_KEYS"]),
        _key_bytes("LOOKUP_KEY", given["LOOKUP_KEY"]),
        _token_keys(given["TOKEN_KEYS"]),
    )


def _keys_by_id(name: str, text: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(","):
        kid, colon, value = part.strip().partition(":")
        if not (kid and colon):
            raise Misconfigured(f"{name} must read kid:base64,kid:base64 with the current key first.")
        found[kid] = _key_bytes(f"{name} ({kid})", value)
    return found


def _token_keys(text: str) -> dict[int, bytes]:
    found = _keys_by_id("TOKEN_KEYS", text)
    if any(not (kid.isascii() and kid.isdigit() and 1 <= int(kid) <= 255) for kid in found):
        raise Misconfigured("The ids of TOKEN_KEYS are numbers from 1 to 255.")
    return {int(kid): key for kid, key in found.items()}


def _key_bytes(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Misconfigured(f"{name} must be 32 bytes in base64.")
    return key


def _kept_keys(path: Path) -> Mapping[str, str]:
    kept = _read(path)
    if all(name in kept for name in NAMES):
        return kept

    def fresh() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_KEYS": f"k1:{fresh()}",
        "LOOKUP_KEY": fresh(),
        "TOKEN_KEYS": f"1:{fresh()}",
    }
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Of processes that start at once one makes what is missing (all, or a kind of key that is newer than the
    # file) while the others wait; a crash leaves either the file as it was or a complete one.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        kept = _read(path)
        if not all(name in kept for name in NAMES):
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump({**made, **kept}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            os.fsync(folder)
    finally:
        os.close(folder)
    return _read(path)


def _read(path: Path) -> dict[str, str]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}
