"""What a terminal signs, by itself: only what was signed is taken. The tablet is held to the same vectors."""

import base64
import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vouchers.terminals import signing
from vouchers.terminals.asking import Asked

VECTORS = json.loads(Path(__file__).with_name("offline_signatures.json").read_text("utf-8"))
KEYS = {name: base64.b64decode(key["public"]) for name, key in VECTORS["keys"].items()}


def asked(body: dict[str, Any]) -> Asked:
    return Asked(
        premises=body["premises"],
        service=body["service"],
        quantity=body["quantity"],
        credential=body["elder"],
        happened_at=datetime.fromisoformat(body["happened_at"]),
        channel=body.get("channel"),
    )


def text_of(case: dict[str, Any], **other: Any) -> str:
    promised = case["body"].get("promised")
    given = {
        "public": KEYS[case["algorithm"]],
        "key": case["key"],
        "asked": asked(case["body"]),
        "promised": Decimal(promised) if promised else None,
        "signature": signing.Signature(case["number"], case["previous"], b""),
    }
    return signing.record(**(given | other))


def is_signed(case: dict[str, Any], text: str, value: bytes | None = None, key: bytes | None = None) -> bool:
    value = base64.b64decode(case["value"]) if value is None else value
    public = KEYS[case["algorithm"]] if key is None else key
    return signing.is_signed(algorithm=case["algorithm"], public=public, text=text, value=value)


@pytest.mark.parametrize("case", VECTORS["records"], ids=lambda case: f"{case['algorithm']} {case['key']}")
def test_the_same_lines_the_same_digest_and_the_signature_holds(case):
    text = text_of(case)
    assert text == case["text"] and signing.digest(text) == case["digest"]
    assert is_signed(case, text)


@pytest.mark.parametrize("name", KEYS)
def test_a_key_proves_itself(name):
    key = VECTORS["keys"][name]
    assert signing.fingerprint(KEYS[name]) == key["fingerprint"]
    proof = {"public": KEYS[name], "value": base64.b64decode(key["proof"])}
    text = signing.registration(KEYS[name])
    assert signing.is_signed(algorithm=name, text=text, **proof)
    others = {"Ed25519": "ES256", "ES256": "Ed25519"}
    assert not signing.is_signed(algorithm=others[name], text=text, **proof)


@pytest.mark.parametrize("case", [VECTORS["records"][1], VECTORS["records"][4]], ids=["Ed25519", "ES256"])
def test_each_line_counts_and_no_bit_may_be_another(case):
    text = text_of(case)
    for place, line in enumerate(lines := text.splitlines()):
        changed = [*lines[:place], line + "0", *lines[place + 1 :]]
        assert not is_signed(case, "".join(f"{one}\n" for one in changed)), line
    body = asked(case["body"])
    for other in (
        {"asked": Asked(**{**fields(body), "quantity": body.quantity + 1})},
        {"asked": Asked(**{**fields(body), "happened_at": body.happened_at + timedelta(milliseconds=1)})},
        {"asked": Asked(**{**fields(body), "credential": {"code": "ZHANG"}})},
        {"asked": Asked(**{**fields(body), "credential": {"token": body.credential["code"]}})},
        {"promised": None},
        {"key": "another"},
    ):
        assert not is_signed(case, text_of(case, **other)), other
    value = base64.b64decode(case["value"])
    for bit in range(len(value) * 8):
        changed_value = bytearray(value)
        changed_value[bit // 8] ^= 1 << bit % 8
        assert not is_signed(case, text, bytes(changed_value)), bit
    for key in (
        b"",
        KEYS[case["algorithm"]][:-1],
        bytes(len(KEYS[case["algorithm"]])),
        b"\x04" + b"\x01" * 64,
    ):
        assert not is_signed(case, text, key=key)
    assert not is_signed(case, text, b"") and not is_signed(case, text, value + b"\0")


def test_a_pin_is_not_among_the_lines():
    """By a signature over it six digits could be found by trying."""
    case = VECTORS["records"][1]
    with_pin = Asked(
        **{**fields(asked(case["body"])), "credential": {**case["body"]["elder"], "pin": "275081"}}
    )
    assert text_of(case, asked=with_pin) == case["text"]


def fields(one: Asked) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Asked.__slots__}
