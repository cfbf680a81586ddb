"""One-time codes: sent slowly, guessed five times at most.

A code goes to a phone at most once a minute, five times an hour and ten a day; from one address thirty times
an hour. What a code guards (a phone, an elder) bears five wrong tries in fifteen minutes, over all codes and
browsers together, so asking for new codes does not buy more tries. Somebody else at the same address is not
touched by that.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace.accounts.models import OneTimeCode, Try
from vouchers.elders import sealing

GOOD_FOR = timedelta(minutes=10)
MINUTES = str(GOOD_FOR // timedelta(minutes=1))  # as messages and pages say it
PAUSE = timedelta(seconds=60)
PER_HOUR, PER_DAY = 5, 10
PER_ADDRESS_AND_HOUR = 30
TRIES, TRIES_WITHIN = 5, timedelta(minutes=15)
SUBJECT_LOCK = 7204  # with 31 bits of the subject's digest; ledger/journal/guards.py has the others


class CannotSendCode(Exception):
    """Too soon or too often; `wait` seconds until it may be asked again."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait

    def __str__(self) -> str:
        if self.wait <= 90:
            return _("A code was sent just now. You can ask for another in %(seconds)s seconds.") % {
                "seconds": self.wait
            }
        minutes = -(-self.wait // 60)
        return ngettext(
            "Too many codes were asked for. Try again in %(minutes)s minute, or call the hotline.",
            "Too many codes were asked for. Try again in %(minutes)s minutes, or call the hotline.",
            minutes,
        ) % {"minutes": minutes}


class WrongCode(Exception):
    """The code does not fit, or may not be tried any more: `left` tries remain (None: not said)."""

    def __init__(self, left: int | None, *, late: bool = False) -> None:
        super().__init__(left)
        self.left, self.late = left, late

    def __str__(self) -> str:
        if self.late:
            return _("This code is too old or was used. Ask for a new one.")
        if self.left is None:
            return _("This is not the code. Check each digit, or wait for the next one.")
        if self.left <= 0:
            return _("Too many wrong codes. Wait 15 minutes, then ask for a new one, or call the hotline.")
        return ngettext(
            "This is not the code. Check each digit; you can try %(left)s more time.",
            "This is not the code. Check each digit; you can try %(left)s more times.",
            self.left,
        ) % {"left": self.left}


@transaction.atomic
def send_code(
    *,
    purpose: str,
    subject: str,
    address: str,
    phone: str,
    deliver: Callable[[str], Any] | None,
    at: datetime,
) -> OneTimeCode:
    """This function will make a code for `subject` and hand it to `deliver`, in one transaction.

    Without `deliver` no code is made and nothing will fit, but everything else is the same: whoever asks
    cannot tell whether there is somebody to send it to. Raises: CannotSendCode.
    """
    ours, whence = _digest(f"{purpose}:{subject}"), _digest(address)
    _alone(ours)
    if (wait := _must_wait(ours, whence, at)) > 0:
        raise CannotSendCode(wait)
    made = OneTimeCode(purpose=purpose, subject=ours, address=whence, sent_at=at, good_until=at + GOOD_FOR)
    if phone:
        made.phone_sealed = sealing.seal(phone, field="code_phone", row=str(made.number))
    if deliver is not None:
        code = f"{secrets.randbelow(10**6):06d}"
        made.code_digest = _digest(f"{made.number}:{code}")
        deliver(code)
    made.save()
    return made


def check_code(*, number: Any, purpose: str, code: str, address: str, at: datetime) -> OneTimeCode:
    """This function will use a code up, or count the try.

    Raises: WrongCode. The count stays even where the caller's transaction does not: it has its own.
    """
    refusal: WrongCode | None = None
    with transaction.atomic():
        found = OneTimeCode.objects.filter(number=number, purpose=purpose).first()
        if found is None:
            raise WrongCode(0, late=True)
        _alone(bytes(found.subject))
        found.refresh_from_db()
        left = _tries_left(bytes(found.subject), at)
        if found.used_at is not None or found.good_until <= at:
            refusal = WrongCode(left, late=True)
        elif left <= 0:
            refusal = WrongCode(0)
        elif found.code_digest is None or not constant_time_compare(
            bytes(found.code_digest), _digest(f"{found.number}:{code}")
        ):
            Try.objects.create(subject=found.subject, address=_digest(address), at=at)
            refusal = WrongCode(left - 1)
        else:
            found.used_at = at
            found.save(update_fields=["used_at"])
    if refusal is not None:
        raise refusal
    return found


@transaction.atomic
def one_more_try(*, subject: str, address: str, at: datetime) -> None:
    """This function will count a try at something that is typed (a paper code, an ID number) before it is looked at.

    Raises: WrongCode when five tries were made within fifteen minutes; then nothing is looked at.
    """
    ours = _digest(subject)
    _alone(ours)
    if _tries_left(ours, at) <= 0:
        raise WrongCode(0)
    Try.objects.create(subject=ours, address=_digest(address), at=at)


def forgive(*, subject: str) -> None:
    """This function will forget the tries at something that was then typed rightly."""
    Try.objects.filter(subject=_digest(subject)).delete()


def forget(before: datetime) -> int:
    """This function will delete codes and tries older than `before`; how many rows."""
    codes, _rows = OneTimeCode.objects.filter(sent_at__lt=before).delete()
    tries, _rows = Try.objects.filter(at__lt=before).delete()
    return codes + tries


def _must_wait(subject: bytes, address: bytes, at: datetime) -> int:
    """Seconds until a code may be sent to this subject from this address; 0: now."""
    limits = [
        ("subject", subject, PAUSE, 1),
        ("subject", subject, timedelta(hours=1), PER_HOUR),
        ("subject", subject, timedelta(days=1), PER_DAY),
        ("address", address, timedelta(hours=1), PER_ADDRESS_AND_HOUR),
    ]
    wait = 0
    for column, digest, span, most in limits:
        sent = (
            OneTimeCode.objects.filter(**{column: digest}, sent_at__gt=at - span)
            .order_by("-sent_at")
            .values_list("sent_at", flat=True)[most - 1 : most]
        )
        for earliest in sent:
            wait = max(wait, -int((at - span - earliest).total_seconds() // 1))
    return wait


def _tries_left(subject: bytes, at: datetime) -> int:
    return TRIES - Try.objects.filter(subject=subject, at__gt=at - TRIES_WITHIN).count()


def _digest(text: str) -> bytes:
    return sealing.lookup(text, field="one_time_code")


def _alone(subject: bytes) -> None:
    """Until the transaction ends nobody else counts for this subject."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s::int, %s::int)",
            [SUBJECT_LOCK, int.from_bytes(subject[:4], "big") & 0x7FFFFFFF],
        )
