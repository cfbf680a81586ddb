"""The signed code and the twelve digits by themselves: only what was signed is taken, and slips of the hand are caught."""

import json
from pathlib import Path

import base45
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from vouchers.codes import digits, token
from vouchers.codes.token import Audience, Kind, NotAToken, Token

VECTORS = json.loads(Path(__file__).with_name("codes.json").read_text("utf-8"))
SEEDS = {int(key_id): bytes.fromhex(seed) for key_id, seed in VECTORS["seeds"].items()}
KEYS = {key_id: token.public_key(seed) for key_id, seed in SEEDS.items()}
SHOWN = Token(Kind.MOVING, Audience.COUNTER, 4711, 58_772_160)
TEXT = token.make(SHOWN, key_id=2, seed=SEEDS[2])


def read(text: str, keys=KEYS, audience=Audience.COUNTER) -> Token:
    return token.read(text, keys=keys, audience=audience)


def refusal(text: str, **given) -> str | None:
    try:
        read(text, **given)
    except NotAToken as refused:
        return refused.code
    return None


@pytest.mark.parametrize("case", VECTORS["genuine"], ids=lambda case: case["text"][-6:])
def test_what_is_made_is_what_is_read(case):
    said = Token(Kind(case["kind"]), Audience(case["audience"]), int(case["number"]), case["serial"])
    assert token.make(said, key_id=case["key_id"], seed=SEEDS[case["key_id"]]) == case["text"]
    assert read(case["text"], audience=said.audience) == said


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_what_is_not_genuine_is_refused(case):
    assert refusal(case["text"]) == case["code"]


def test_every_bit_flipped_and_none_accepted():
    data = base45.b45decode(TEXT.removeprefix(token.PREFIX))
    assert refusal(TEXT) is None
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        assert refusal(token.PREFIX + base45.b45encode(bytes(changed)).decode()), bit


def test_every_character_changed_and_none_accepted():
    for place, old in enumerate(TEXT):
        for new in "0AZ $:é１\n":
            if new != old:
                assert refusal(TEXT[:place] + new + TEXT[place + 1 :]), (place, new)


@given(
    st.text(max_size=200)
    | st.binary(min_size=79, max_size=79).map(lambda data: "YQ:" + base45.b45encode(data).decode())
)
def test_whatever_is_scanned_is_answered(text):
    assert refusal(text)


def test_a_key_that_is_taken_away_and_one_that_signs_for_another():
    assert refusal(TEXT, keys={1: KEYS[1], 5: KEYS[5]}) == "unknown_key"
    assert refusal(TEXT, keys={2: KEYS[1]}) == "bad_signature"
    assert refusal(TEXT, audience=Audience.RECORD) == "wrong_audience"


def test_a_qr_code_of_version_7_or_less_holds_it_on_screen_and_on_paper():
    for error, version in (("m", 5), ("q", 7)):
        code = segno.make(TEXT, error=error, boost_error=False)
        assert (code.mode, code.version) == ("alphanumeric", version)
    assert len(TEXT) == token.LENGTH


@pytest.mark.parametrize("place", range(digits.LENGTH))
@given(code=st.text("0123456789", min_size=11, max_size=11).map(lambda text: text + digits.check_digit(text)))
def test_every_single_wrong_digit_and_every_two_swapped_are_caught(place, code):
    assert digits.is_whole(code)
    for wrong in "0123456789":
        assert digits.is_whole(code[:place] + wrong + code[place + 1 :]) == (wrong == code[place])
    swapped = code[:place] + code[place : place + 2][::-1] + code[place + 2 :]
    assert digits.is_whole(swapped) == (swapped == code)


def test_every_pair_at_every_place_is_caught_when_swapped():
    """All of them: what stands before and after cancels out in a group, so zeros will do."""
    for place in range(digits.LENGTH - 1):
        for pair in range(100):
            a, b = divmod(pair, 10)
            codes = [
                "0" * place + first + second + "0" * (digits.LENGTH - place - 2)
                for first, second in ((str(a), str(b)), (str(b), str(a)))
            ]
            products = [digits._product(code) for code in codes]
            assert (products[0] == products[1]) == (a == b), codes


def test_control_a_sum_of_digits_misses_what_is_swapped(monkeypatch):
    monkeypatch.setattr(digits, "_product", lambda code: sum(map(int, code)) % 10)
    code = "12345678901"
    whole = code + digits.check_digit(code)
    assert digits.is_whole(whole) and digits.is_whole("21" + whole[2:])


def test_typed_codes_are_whole_and_differ():
    made = {digits.fresh() for _ in range(200)}
    assert len(made) == 200 and all(map(digits.is_whole, made))
    assert all(map(digits.is_whole, VECTORS["typed"]))
    assert not any(map(digits.is_whole, VECTORS["not_typed"]))
    code = VECTORS["typed"][0]
    assert digits.plain(digits.grouped(code)) == code
