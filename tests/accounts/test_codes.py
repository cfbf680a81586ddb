"""One-time codes: sent slowly, good for ten minutes, guessed five times at most (strength.md 14)."""

from datetime import timedelta

import pytest

from marketplace.accounts.codes import (
    CannotSendCode,
    WrongCode,
    check_code,
    forget,
    one_more_try,
    send_code,
)
from marketplace.accounts.models import OneTimeCode, Try, User
from marketplace.accounts.operations import account_of_phone
from tests import story
from tests.threads import at_once

AT = story.moment("2026-08-23 10:00")
LI, WANG = "19900000001", "19900000002"
CANTEEN, ELSEWHERE = "203.0.113.7", "203.0.113.8"


def sent(phone=LI, *, after=timedelta(0), address=CANTEEN, known=True):
    """The code that was sent and its six digits."""
    digits: list[str] = []
    made = send_code(
        purpose="sign_in",
        subject=phone,
        address=address,
        phone=phone,
        deliver=digits.append if known else None,
        at=AT + after,
    )
    return made, digits[0] if digits else ""


def check(made, code, *, after=timedelta(0), address=CANTEEN):
    return check_code(number=made.number, purpose="sign_in", code=code, address=address, at=AT + after)


def other(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 10**6:06d}"


def test_the_code_fits_once(db):
    made, code = sent()
    assert check(made, code).phone() == LI
    with pytest.raises(WrongCode) as refusal:
        check(made, code)
    assert refusal.value.late


def test_it_is_kept_as_a_digest_bound_to_its_row(db):
    made, code = sent()
    assert code.encode() not in bytes(made.code_digest)
    another, _ = sent(WANG)
    OneTimeCode.objects.filter(pk=another.pk).update(code_digest=made.code_digest)
    with pytest.raises(WrongCode):
        check(another, code)


def test_after_ten_minutes_it_is_too_late(db):
    made, code = sent()
    with pytest.raises(WrongCode):
        check(made, code, after=timedelta(minutes=10))
    assert check(made, code, after=timedelta(minutes=9, seconds=59))


def test_it_fits_only_what_it_was_sent_for(db):
    made, code = sent()
    with pytest.raises(WrongCode):
        check_code(number=made.number, purpose="record", code=code, address=CANTEEN, at=AT)


def test_five_tries_in_fifteen_minutes_and_new_codes_buy_no_more(db):
    """The guesser asks for a code a minute; of all codes together five tries are taken, then not even the right one."""
    for minute in range(5):
        made, code = sent(after=timedelta(minutes=minute), address=CANTEEN)
        with pytest.raises(WrongCode) as refusal:
            check(made, other(code), after=timedelta(minutes=minute))
    assert refusal.value.left == 0
    with pytest.raises(WrongCode):
        check(made, code, after=timedelta(minutes=5), address=ELSEWHERE)
    friend, hers = sent(WANG)
    assert check(friend, hers)  # somebody else at the same address is unharmed
    later, code = sent(after=timedelta(minutes=64))
    assert check(later, code, after=timedelta(minutes=64))


def test_fifty_guesses_at_once_are_five(fresh_db):
    made, code = sent()
    answers = at_once([lambda n=n: check(made, other(code, n)) for n in range(1, 51)])
    assert all(isinstance(answer, WrongCode) for answer in answers)
    assert Try.objects.count() == 5


def test_control_without_the_lock_more_than_five_would_be_counted(fresh_db, monkeypatch):
    from marketplace.accounts import codes

    monkeypatch.setattr(codes, "_alone", lambda subject: None)
    made, code = sent()
    for _ in range(10):
        at_once([lambda n=n: check(made, other(code, n)) for n in range(1, 21)])
        if Try.objects.count() > 5:
            return
        Try.objects.all().delete()
    pytest.fail("the tries were counted rightly without the lock: the test above proves nothing")


def test_codes_are_sent_slowly(db):
    """One a minute, five an hour, ten a day to a phone; thirty an hour from an address."""
    sent()
    with pytest.raises(CannotSendCode) as refusal:
        sent(after=timedelta(seconds=15))
    assert refusal.value.wait == 45
    for minute in (1, 2, 3, 4):
        sent(after=timedelta(minutes=minute))
    with pytest.raises(CannotSendCode) as refusal:
        sent(after=timedelta(minutes=6))
    assert refusal.value.wait == 54 * 60
    for hour in range(1, 6):
        sent(after=timedelta(hours=hour, minutes=10))
    with pytest.raises(CannotSendCode):
        sent(after=timedelta(hours=8))
    sent(after=timedelta(hours=24, minutes=11))


def test_one_address_cannot_send_to_everybody(db):
    for n in range(30):
        sent(f"1990001{n:04d}")
    with pytest.raises(CannotSendCode):
        sent("19900020000")
    assert sent("19900020000", address=ELSEWHERE)


def test_an_unknown_subject_is_answered_like_a_known_one(db):
    nothing, _ = sent(known=False)
    with pytest.raises(WrongCode) as refusal:
        check(nothing, "000000")
    known, code = sent(WANG)
    with pytest.raises(WrongCode) as same:
        check(known, other(code))
    assert str(refusal.value) == str(same.value)
    with pytest.raises(CannotSendCode):
        sent(known=False, after=timedelta(seconds=1))


def test_what_is_typed_is_counted_before_it_is_looked_at(db):
    for _ in range(5):
        one_more_try(subject="paper:1", address=CANTEEN, at=AT)
    with pytest.raises(WrongCode):
        one_more_try(subject="paper:1", address=CANTEEN, at=AT)
    one_more_try(subject="paper:2", address=CANTEEN, at=AT)
    one_more_try(subject="paper:1", address=CANTEEN, at=AT + timedelta(minutes=15))


def test_old_ones_are_forgotten(db):
    made, code = sent()
    with pytest.raises(WrongCode):
        check(made, other(code))
    assert forget(AT) == 0
    assert forget(AT + timedelta(seconds=1)) == 2


def test_two_at_once_make_one_account(fresh_db):
    made = at_once([lambda: account_of_phone(phone=LI, at=AT)] * 8)
    assert {user.pk for user in made} == {User.objects.get().pk}
    user = User.objects.get()
    assert user.phone() == LI and user.role == "" and not user.has_usable_password()
    assert LI not in user.username and user.shown_name == "**** 0001"
