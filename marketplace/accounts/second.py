"""The second factor of those who approve money and make people: an authenticator app or passkeys, and codes on paper.

Passkeys are in passkeys.py; whoever has either is asked for one of what they have.

Five wrong codes in fifteen minutes for each account (marketplace/accounts/codes.py); a code is taken once.
"""

import base64
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, record
from ledger.refusals import Refusal
from marketplace.accounts.codes import WrongCode, forgive, one_more_try
from marketplace.accounts.models import Passkey, RecoveryCode, Role, SecondFactor, User
from vouchers.elders import sealing

ROLES = frozenset(
    {
        Role.BUREAU_CLERK,
        Role.BUREAU_APPROVER,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
        Role.SECURITY_ADMINISTRATOR,
    }
)
"""Whose password alone opens nothing: who decides on money, makes people, or sees the whole city."""
DECIDERS = (Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)
SENTENCES = {
    "not_administrator": _("Only an administrator lets somebody start anew."),
    "own": _("Nobody decides on their own second step: another administrator does."),
}
STEP = 30  # seconds
DRIFT = (0, -1, 1)  # steps that a phone's clock may be off
PAPER_CODES, PAPER_DIGITS = 8, 10


class CannotForget(Refusal):
    """Refused; nothing is changed. `code` is one of SENTENCES."""

    sentences = SENTENCES


def is_asked(user: User) -> bool:
    """Whether this person's password alone lets nobody in: by role, or because the person wanted it so."""
    required = settings.SECOND_FACTOR_REQUIRED and user.role in ROLES
    return required or has_one(user)


def has_one(user: User) -> bool:
    return has_app(user) or Passkey.objects.filter(user=user).exists()


def has_app(user: User) -> bool:
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def begin(*, user: User, at: datetime) -> tuple[str, str]:
    """This function will make a secret for the person's app; the secret in letters, and the address for a QR code.

    Asked again before it is confirmed, the same secret is shown. One that is confirmed is never shown again:
    Raises ValueError then.
    """
    with transaction.atomic():
        factor, _made = SecondFactor.objects.select_for_update().get_or_create(
            user=user,
            defaults={
                "secret_sealed": sealing.seal(secrets.token_hex(20), field="second_factor", row=str(user.pk)),
                "begun_at": at,
            },
        )
    if factor.confirmed_at is not None:
        raise ValueError("confirmed")
    secret = _secret(factor)
    return (
        base64.b32encode(secret).decode(),
        _totp(secret).get_provisioning_uri(user.get_username(), issuer="Yiquan"),
    )


def confirm(*, user: User, code: str, address: str, at: datetime) -> list[str]:
    """This function will take the app into use, once its first code fits; the codes for paper, shown this once.

    Who has a passkey has codes already: then there are none here. Raises: WrongCode.
    """
    counted(user, address, at)
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at=None).first()
        if factor is None or not _fits(factor, code, at):
            raise WrongCode(None)
        first = not has_one(user)
        factor.confirmed_at = at
        factor.save(update_fields=["confirmed_at", "last_step"])
        record(by=user, at=at, action="second_factor_set_up", subject=f"user:{user.pk}")
        paper = new_paper(user=user, at=at) if first else []
    forgive(subject=subject(user))
    return paper


@transaction.atomic
def new_paper(*, user: User, at: datetime) -> list[str]:
    """This function will make new codes for paper, shown this once; those before it are void."""
    User.objects.select_for_update().get(pk=user.pk)
    no_paper(user=user)
    paper = [f"{secrets.randbelow(10**PAPER_DIGITS):0{PAPER_DIGITS}d}" for _ in range(PAPER_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(user, one)) for one in paper)
    record(by=user, at=at, action="recovery_codes_made", subject=f"user:{user.pk}")
    return paper


def no_paper(*, user: User) -> None:
    RecoveryCode.objects.filter(user=user).delete()


def paper_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def verify(*, user: User, code: str, address: str, at: datetime) -> None:
    """This function will take six digits of the app, or one of the codes on paper. Raises: WrongCode."""
    counted(user, address, at)
    with transaction.atomic():
        factor = (
            SecondFactor.objects.select_for_update().filter(user=user, confirmed_at__isnull=False).first()
        )
        if factor is not None and _fits(factor, code, at):
            factor.save(update_fields=["last_step"])
        elif RecoveryCode.objects.filter(user=user, digest=_digest(user, code), used_at=None).update(
            used_at=at
        ):
            record(by=user, at=at, action="recovery_code_used", subject=f"user:{user.pk}")
        else:
            raise WrongCode(None)
    forgive(subject=subject(user))


@transaction.atomic
def forget(*, user: User, by: User, at: datetime) -> bool:
    """This function will let the person start anew, when phone, passkeys and paper are lost. Whether there was one.

    An administrator decides, and never on their own. Raises CannotForget.
    """
    if not any(as_now(by).holds(role) for role in DECIDERS):
        raise CannotForget("not_administrator")
    if by.pk == user.pk:
        raise CannotForget("own")
    no_paper(user=user)
    there = SecondFactor.objects.filter(user=user).delete()[0] + Passkey.objects.filter(user=user).delete()[0]
    record(by=by, at=at, action="second_factor_forgotten", subject=f"user:{user.pk}", channel="command")
    return bool(there)


def subject(user: User) -> str:
    """Under which wrong codes and wrong answers of passkeys are counted, together."""
    return f"second factor of {user.pk}"


def counted(user: User, address: str, at: datetime) -> None:
    """Counts a try before anything is looked at. Raises: WrongCode when there were too many."""
    one_more_try(subject=subject(user), address=address, at=at)


def _fits(factor: SecondFactor, code: str, at: datetime) -> bool:
    """Whether the code is the one of now, or a step beside it, and later than the last one used; it is then noted."""
    now = int(at.timestamp()) // STEP
    totp = _totp(_secret(factor))
    for drift in DRIFT:
        step = now + drift
        try:
            totp.verify(code.encode(), step * STEP)
        except InvalidToken:
            continue
        if step > factor.last_step:
            factor.last_step = step
            return True
    return False


def _secret(factor: SecondFactor) -> bytes:
    sealed = sealing.open_sealed(factor.secret_sealed, field="second_factor", row=str(factor.user_id))
    return bytes.fromhex(sealed)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, 6, SHA1(), STEP)  # SHA-1 and 30 s: what every authenticator app reads


def _digest(user: User, code: str) -> bytes:
    return sealing.lookup(f"{user.pk}:{code}", field="recovery_code")
