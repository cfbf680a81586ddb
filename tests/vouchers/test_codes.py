"""Grandma Li at the counter: the code on her phone, her card, her twelve digits, her PIN."""

import io
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from ledger import wire
from ledger.models import Record
from marketplace.management.base import Refused
from tests import story
from tests.story import BY, moment
from tests.threads import at_once
from vouchers.codes import digits, operations, token
from vouchers.codes.models import ElderCode, PinTry, TokenUse
from vouchers.codes.operations import (
    card_code,
    elder_token,
    elder_tokens,
    forget_used,
    identify,
    pin_digest,
    replace_card,
    set_pin,
    whose,
)
from vouchers.codes.refusals import PIN_SENTENCES, SENTENCES, CannotIdentify, CannotSetPin
from vouchers.codes.token import Audience, Kind, Token

NOON = moment("2026-01-05 12:00")
PIN = "480213"


def later(**span: float):
    return NOON + timedelta(**span)


def at_counter(credential, terminal="T1", at=NOON, **given) -> str:
    """The elder's code, or that of the refusal."""
    try:
        return identify(credential=credential, terminal_key=terminal, at=at, **given)
    except CannotIdentify as refused:
        assert str(refused)
        return refused.code


@pytest.fixture
def li(db):
    story.town()
    elder = story.elder_named("LI")
    set_pin(elder=elder, pin=PIN, by=BY, at=NOON)
    return elder


def token_of(elder, at=NOON) -> dict[str, str]:
    return {"token": elder_token(elder=elder, at=at)}


# The code that changes


def test_the_code_on_the_phone_tells_who_she_is(li, django_assert_num_queries, monkeypatch):
    """In one round trip."""
    shown = token_of(li)
    at_counter(token_of(li, later(seconds=30)))  # its statements are prepared now
    trips = []
    exchange = wire._exchange
    monkeypatch.setattr(wire, "_exchange", lambda *sent: trips.append(sent) or exchange(*sent))
    with django_assert_num_queries(0):
        assert at_counter(shown) == "LI"
    assert len(trips) == 1
    assert token_of(li) == shown != token_of(li, later(seconds=30))


def test_one_scan_serves_its_own_counter_for_five_minutes_and_no_other(li):
    shown = token_of(li)
    assert at_counter(shown) == "LI"
    assert at_counter(shown, "T2", later(seconds=5)) == "token_used"
    assert at_counter(shown, "T1", later(minutes=5)) == "LI"  # the soup
    assert at_counter(shown, "T1", later(minutes=5, seconds=1)) == "token_expired"
    assert at_counter(shown, "T2", later(minutes=20)) == "token_used"
    assert at_counter(token_of(li, later(seconds=30)), "T2", later(seconds=30)) == "LI"  # the next one


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        (-31, "token_expired"),
        (-30, "LI"),
        (0, "LI"),
        (89, "LI"),
        (90, "token_expired"),
        (3600, "token_expired"),
    ],
)
def test_clocks_may_differ_a_little(li, seconds, answer):
    assert at_counter(token_of(li), at=later(seconds=seconds)) == answer


def test_what_was_taken_without_a_network_is_judged_by_then(li):
    shown, tomorrow = token_of(li), later(days=1)
    assert at_counter(shown, at=tomorrow) == "token_expired"
    assert at_counter(shown, at=tomorrow, taken_at=later(minutes=6)) == "token_expired"
    assert at_counter(shown, at=tomorrow, taken_at=later(minutes=2)) == "LI"
    assert at_counter(shown, at=tomorrow, taken_at=later(minutes=3)) == "LI"
    assert at_counter(shown, "T2", at=tomorrow, taken_at=later(seconds=10)) == "token_used"


def test_a_refused_use_tells_the_caller_whose_it_was(li):
    shown = token_of(li)
    at_counter(shown)
    with pytest.raises(CannotIdentify) as refused:
        identify(credential=shown, terminal_key="T2", at=NOON)
    assert refused.value.elder == "LI"


def test_an_hour_ahead_for_a_phone_without_a_network(li):
    ahead = list(elder_tokens(elder=li, at=later(seconds=7), windows=120))
    assert ahead[0] == (NOON, elder_token(elder=li, at=NOON))
    assert len({text for _begins, text in ahead}) == 120
    begins, text = ahead[-1]
    assert begins == later(minutes=59, seconds=30)
    assert at_counter({"token": text}, at=begins) == "LI"


def test_what_is_forged_or_not_for_the_counter_is_refused(li):
    number = ElderCode.objects.get(elder=li).number
    seed = settings.TOKEN_KEYS[2]

    def forged(kind=Kind.MOVING, audience=Audience.COUNTER, number=number, key_id=2, seed=seed):
        text = token.make(Token(kind, audience, number, token.window_of(NOON)), key_id=key_id, seed=seed)
        return at_counter({"token": text})

    assert forged() == "LI"
    assert forged(audience=Audience.RECORD) == "token_invalid"
    assert forged(seed=b"x" * 32) == "token_invalid"
    assert forged(key_id=9) == "token_invalid"
    assert forged(number=number ^ 1) == "token_invalid"
    for text in ("", "LI", "480213", "YQ:", "YQ:" + "0" * 119):
        assert at_counter({"token": text}) == "token_invalid"


def test_a_new_key_signs_while_the_old_one_is_still_taken(li, settings):
    old = token_of(li)
    settings.TOKEN_KEYS = {7: b"n" * 32, **settings.TOKEN_KEYS}
    new = token_of(li)
    assert new != old
    assert at_counter(old) == at_counter(new) == "LI"
    settings.TOKEN_KEYS = {7: b"n" * 32}
    assert at_counter(new) == "LI"
    assert at_counter(old) == "token_invalid"


# Card, digits and PIN


def test_with_the_pin_her_code_her_card_and_her_digits_tell_who_she_is(li):
    card = card_code(elder=li)
    for code in ("LI", card.text, card.typed, digits.grouped(card.typed)):
        assert at_counter({"code": code, "pin": PIN}) == "LI"
        assert at_counter({"code": code}) == "pin_needed"
    assert at_counter({"token": card.text, "pin": PIN}) == "LI"
    assert at_counter({"token": card.text}) == "pin_needed"
    assert at_counter({"code": "NOBODY", "pin": PIN}) == "unknown_reference"
    wrong = card.typed[:-1] + str((int(card.typed[-1]) + 1) % 10)
    assert at_counter({"code": wrong, "pin": PIN}) == "unknown_reference"
    assert at_counter({}) == "unknown_reference"
    assert at_counter({"code": "ZHANG", "pin": PIN}) == "pin_not_set"


def test_a_lost_card_is_worthless_once_it_is_replaced(li):
    lost = card_code(elder=li)
    new = replace_card(elder=li, by="hotline", at=NOON)
    assert at_counter({"code": lost.text, "pin": PIN}) == "card_replaced"
    assert at_counter({"code": lost.typed, "pin": PIN}) == "unknown_reference"
    assert at_counter({"code": new.text, "pin": PIN}) == "LI"
    assert at_counter({"code": new.typed, "pin": PIN}) == "LI"
    assert Record.objects.get(action="replace_card").by == "hotline"


def test_a_card_cannot_pass_for_the_code_that_changes(li):
    """Its number, read as a window, would lie in 1970; and it is signed as a card."""
    text = card_code(elder=li).text
    assert at_counter({"token": text}, at=moment("1970-01-01 08:00")) == "pin_needed"


def test_five_wrong_pins_in_fifteen_minutes_wherever_they_are_typed(li):
    zhang = story.elder_named("ZHANG")
    set_pin(elder=zhang, pin="731902", by=BY, at=NOON)

    def tried(pin, terminal="T1", **span):
        return at_counter({"code": "LI", "pin": pin}, terminal, later(**span))

    assert [tried(f"90000{n}", f"T{n}", seconds=n) for n in range(5)] == ["pin_wrong"] * 5
    assert tried(PIN, seconds=6) == tried("900006", "T9", seconds=7) == "pin_locked"
    assert at_counter({"code": "ZHANG", "pin": "731902"}, at=later(seconds=8)) == "ZHANG"  # unharmed
    assert at_counter(token_of(li, later(seconds=9)), at=later(seconds=9)) == "LI"
    assert tried(PIN, minutes=14, seconds=59) == "pin_locked"
    assert tried(PIN, minutes=15) == "LI"  # the first try is 15 minutes old
    assert {one.terminal for one in PinTry.objects.filter(counts=True)} == {f"T{n}" for n in range(5)}


def test_right_pins_are_not_counted_and_do_not_clear_wrong_ones(li):
    for n in range(8):
        assert at_counter({"code": "LI", "pin": PIN}, at=later(seconds=n)) == "LI"
    for n in range(5):
        assert at_counter({"code": "LI", "pin": "900001"}) == "pin_wrong"
        assert at_counter({"code": "LI", "pin": PIN}) == ("LI" if n < 4 else "pin_locked")


def test_a_wrong_pin_stays_counted_whatever_fails_around_it(fresh_db):
    story.town()
    set_pin(elder=story.elder_named("LI"), pin=PIN, by=BY, at=NOON)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        identify(credential={"code": "LI", "pin": "900001"}, terminal_key="T1", at=NOON)
    assert at_counter({"code": "LI", "pin": "900001"}) == "pin_wrong"
    assert PinTry.objects.filter(counts=True).count() == 1


@pytest.mark.parametrize(
    "pin", ["123456", "654321", "111111", "121212", "123123", "112233", "460305", "050346", "030546", "194603", "980100", "199000", "460306"]
)  # fmt: skip
def test_a_pin_that_strangers_would_try_first_is_refused(li, pin):
    easy = pin != "460306"  # the day after her birthday: no list ends, hers must
    try:
        set_pin(elder=li, pin=pin, by=BY, at=NOON)
    except CannotSetPin as refused:
        assert easy and refused.code == "too_easy"
        assert at_counter({"code": "LI", "pin": PIN}) == "LI"  # as before
    else:
        assert not easy


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "12 456", "abcdef", "４８０２１３", "480213\n"])
def test_a_pin_is_six_digits(li, pin):
    with pytest.raises(CannotSetPin) as refused:
        set_pin(elder=li, pin=pin, by=BY, at=NOON)
    assert refused.value.code == "not_six_digits" and str(refused.value)


def test_nothing_that_is_kept_shows_the_pin(li):
    kept = bytes(ElderCode.objects.get(elder=li).pin_hash)
    set_pin(elder=li, pin=PIN, by=BY, at=NOON)
    again = bytes(ElderCode.objects.get(elder=li).pin_hash)
    assert kept != again and PIN.encode() not in kept
    assert not any(PIN in str(record.detail) for record in Record.objects.all())
    assert pin_digest(code="LI", pin=PIN) == pin_digest(code="LI", pin=PIN)
    assert (
        len({pin_digest(code="LI", pin=PIN), pin_digest(code="LI", pin="1"), pin_digest(code="X", pin=PIN)})
        == 3
    )


def test_whose_it_is_without_using_it(li):
    shown, card = token_of(li), card_code(elder=li)
    assert (
        whose(credential=shown)
        == whose(credential={"code": card.typed})
        == whose(credential={"code": "LI"})
        == "LI"
    )
    assert whose(credential=shown, at=NOON) == "LI"
    for stale in (shown, {"code": "LI"}, {"code": card.text}):
        with pytest.raises(CannotIdentify) as refused:
            whose(credential=stale, at=later(minutes=3))
        assert refused.value.code == "token_expired"
    assert not TokenUse.objects.exists() and not PinTry.objects.exists()


def test_what_was_used_is_forgotten_when_nobody_can_ask_any_more(li):
    at_counter(token_of(li))
    at_counter({"code": "LI", "pin": "900001"})
    assert forget_used(at=later(days=7)) == 0
    assert forget_used(at=later(days=7, seconds=1)) == 2


def test_commands(li, monkeypatch, capsys):
    call_command("elder_token", "LI")
    text = capsys.readouterr().out.strip()
    assert whose(credential={"token": text}) == "LI"
    monkeypatch.setattr(sys, "stdin", io.StringIO("902746\n"))
    call_command("set_pin", "LI")
    assert at_counter({"code": "LI", "pin": "902746"}) == "LI"
    monkeypatch.setattr(sys, "stdin", io.StringIO("123456\n"))
    with pytest.raises(Refused):
        call_command("set_pin", "LI")
    for command in ("elder_token", "set_pin"):
        with pytest.raises(Refused, match="NOBODY"):
            call_command(command, "NOBODY")


def test_every_refusal_has_its_sentence():
    assert (
        len({str(sentence) for sentence in (*SENTENCES.values(), *PIN_SENTENCES.values())})
        == len(SENTENCES) + 2
    )


# At once


def ground() -> None:
    story.town()
    set_pin(elder=story.elder_named("LI"), pin=PIN, by=BY, at=NOON)


def test_of_twelve_counters_at_once_one_takes_the_code(fresh_db):
    ground()
    shown = token_of(story.elder_named("LI"))
    answers = at_once([lambda n=n: at_counter(shown, f"T{n}") for n in range(12)])
    assert sorted(answers) == ["LI"] + ["token_used"] * 11
    (use,) = TokenUse.objects.all()
    assert [at_counter(shown, f"T{n}") == "LI" for n in range(12)] == [
        use.terminal == f"T{n}" for n in range(12)
    ]


def test_control_without_the_constraint_many_take_it(fresh_db, monkeypatch):
    from tests import databases

    ground()
    shown = token_of(story.elder_named("LI"))
    with databases.as_superuser(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE vouchers_tokenuse DROP CONSTRAINT token_of_a_window_serves_one_terminal")
    monkeypatch.setattr(
        operations, "TAKE",
        wire.Prepared("unprotected", operations.TAKE.source.replace(
            "ON CONFLICT ON CONSTRAINT token_of_a_window_serves_one_terminal DO NOTHING", ""
        )),
    )  # fmt: skip
    answers = at_once([lambda n=n: at_counter(shown, f"T{n}") for n in range(6)])
    assert answers == ["LI"] * 6


def test_of_twelve_wrong_pins_at_once_five_are_compared(fresh_db, monkeypatch):
    ground()
    compared = []
    matches = operations.pins.matches
    monkeypatch.setattr(
        operations.pins,
        "matches",
        lambda pin, *given, **named: compared.append(pin) or matches(pin, *given, **named),
    )
    answers = at_once(
        [lambda n=n: at_counter({"code": "LI", "pin": f"9000{n:02}"}, f"T{n}") for n in range(12)]
    )
    assert sorted(answers) == ["pin_locked"] * 7 + ["pin_wrong"] * 5
    assert len(compared) == 5


def test_codes_asked_for_at_once_are_the_same(fresh_db):
    story.town()
    li = story.elder_named("LI")
    assert len(set(at_once([lambda: elder_token(elder=li, at=NOON) for _ in range(6)]))) == 1
    assert ElderCode.objects.count() == 1
