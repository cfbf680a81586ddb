"""Passkeys as the second factor: a key on the person's own device that signs our question (WebAuthn, Level 3).

The checks of the standard are the `fido2` library's; ours are what it leaves to us: each question is taken once and
for five minutes (it is kept in the session by the face), the origin is one of our settings, the device has asked for
finger, face or PIN, its count goes forward only, and wrong answers count like wrong codes.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ledger.audit.operations import record
from ledger.refusals import Refusal
from marketplace.accounts import second
from marketplace.accounts.codes import forgive
from marketplace.accounts.models import Passkey, User
from vouchers.elders import sealing

GOOD_FOR = timedelta(minutes=5)
MOST = 10  # for one person
LONGEST = 20_000  # characters of an answer; what devices send has one or two thousand


class CannotUsePasskey(Refusal):
    sentences = {
        "no_answer": _("The passkey did not answer this question. Try again."),
        "stale": _("This took too long, or was sent twice. Try again."),
        "copied": _("This passkey may have been copied and is not taken. Use another way, then remove it."),
        "name_taken": _("You have a passkey of this name already. Choose another name."),
        "known": _("This device's passkey is registered already."),
        "too_many": _("You have ten passkeys. Remove one first."),
        "not_here": _("Passkeys do not work at this address. Use your app, or open the site by its name."),
        "last_one": _("This is your only second step. Set up another way first."),
    }


Question = dict[str, Any]
"""What is kept until the answer comes: the challenge, for whom, at which host, what for, since when."""


def works_at(host: str) -> bool:
    """Whether passkeys can be made and used at this host name (without a port)."""
    return host in settings.PASSKEY_HOSTS


def of(user: User, host: str) -> list[Passkey]:
    """The person's passkeys that can be used at this host."""
    return list(Passkey.objects.filter(user=user, host=host)) if works_at(host) else []


def ask_new(*, user: User, host: str, at: datetime) -> tuple[dict[str, Any], Question]:
    """This function will ask the person's device for a new key: the options for the browser, and what to keep.

    Raises: CannotUsePasskey (not_here, too_many).
    """
    if not works_at(host):
        raise CannotUsePasskey("not_here")
    known = Passkey.objects.filter(user=user)
    if len(known) >= MOST:
        raise CannotUsePasskey("too_many")
    options, state = _server(host).register_begin(
        user=PublicKeyCredentialUserEntity(
            id=sealing.lookup(str(user.pk), field="passkey_user"),  # says nothing to who reads the device
            name=user.get_username(),
            display_name=user.get_username(),
        ),
        credentials=[_credential(one) for one in known if one.host == host],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options.public_key), _question(user, host, "new", state, at)


def ask_use(*, user: User, host: str, at: datetime) -> tuple[dict[str, Any], Question]:
    """This function will ask for a signature by one of the person's passkeys. Raises: CannotUsePasskey (not_here)."""
    if not works_at(host):
        raise CannotUsePasskey("not_here")
    options, state = _server(host).authenticate_begin(
        credentials=[_credential(one) for one in of(user, host)],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options.public_key), _question(user, host, "use", state, at)


def add(
    *, user: User, name: str, answer: Any, question: Question | None, address: str, at: datetime
) -> list[str]:
    """This function will take a new passkey into use; the codes for paper when it is the person's first second factor.

    Raises: CannotUsePasskey; WrongCode after too many wrong answers.
    """
    second.counted(user, address, at)
    asked = _still_good(question, user, "new", at)
    with _as_refusal():
        data = _server(asked["host"]).register_complete(
            asked["state"], RegistrationResponse.from_dict(answer)
        )
        credential = data.credential_data
    if credential is None:
        raise CannotUsePasskey("no_answer")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # one at a time for one person: the number is kept
        mine = Passkey.objects.filter(user=user)
        if len(mine) >= MOST:
            raise CannotUsePasskey("too_many")
        if any(one.name == name for one in mine):
            raise CannotUsePasskey("name_taken")
        first = not second.has_one(user)
        try:
            with transaction.atomic():
                made = Passkey.objects.create(
                    user=user,
                    name=name,
                    host=asked["host"],
                    credential_id=credential.credential_id,
                    credential=bytes(credential),
                    uses=data.counter,
                    added_at=at,
                )
        except IntegrityError:
            raise CannotUsePasskey("known") from None
        record(by=user, at=at, action="passkey_added", subject=f"user:{user.pk}", detail={"passkey": made.pk})
        paper = second.new_paper(user=user, at=at) if first else []
    forgive(subject=second.subject(user))
    return paper


def use(*, user: User, answer: Any, question: Question | None, address: str, at: datetime) -> Passkey:
    """This function will let a signature by one of this person's passkeys stand for the second factor.

    Raises: CannotUsePasskey; WrongCode after too many wrong answers.
    """
    second.counted(user, address, at)
    asked = _still_good(question, user, "use", at)
    copied: Passkey | None = None
    with transaction.atomic():
        mine = list(Passkey.objects.select_for_update().filter(user=user, host=asked["host"]))
        with _as_refusal():
            given = AuthenticationResponse.from_dict(answer)
            credential = _server(asked["host"]).authenticate_complete(
                asked["state"], [_credential(one) for one in mine], given
            )
            counted = given.response.authenticator_data.counter
        passkey = next(one for one in mine if bytes(one.credential) == bytes(credential))
        if (counted or passkey.uses) and counted <= passkey.uses:
            copied = passkey  # two devices count by themselves: one of them has a copy
            action = "passkey_refused"
        else:
            passkey.uses, passkey.used_at = counted, at
            passkey.save(update_fields=["uses", "used_at"])
            action = "passkey_used"
        record(by=user, at=at, action=action, subject=f"user:{user.pk}", detail={"passkey": passkey.pk})
    if copied is not None:
        raise CannotUsePasskey("copied")
    forgive(subject=second.subject(user))
    return passkey


@transaction.atomic
def remove(*, user: User, passkey: Passkey, at: datetime) -> None:
    """This function will end one of the person's passkeys; codes on paper end with the last second factor.

    Raises: CannotUsePasskey (last_one) where the person's role needs a second factor and has no other.
    """
    User.objects.select_for_update().get(pk=user.pk)
    pk = passkey.pk
    Passkey.objects.filter(user=user, pk=pk).delete()
    if not second.has_one(user):
        if second.is_asked(user):
            raise CannotUsePasskey("last_one")
        second.no_paper(user=user)
    record(by=user, at=at, action="passkey_removed", subject=f"user:{user.pk}", detail={"passkey": pk})


def _server(host: str) -> Fido2Server:
    return Fido2Server(
        PublicKeyCredentialRpEntity(name="颐券 Yiquan", id=host),
        verify_origin=lambda origin: _is_ours(origin, host),
    )


def _is_ours(origin: str, host: str) -> bool:
    """Behind TLS: exactly the address, no other port, no name below it. On one's own machine: any port of it."""
    if settings.HTTPS_HOSTS:
        return origin == f"https://{host}"
    parts = urlsplit(origin)
    return parts.scheme == "http" and parts.hostname == host


def _credential(passkey: Passkey) -> AttestedCredentialData:
    return AttestedCredentialData(bytes(passkey.credential))


def _question(user: User, host: str, purpose: str, state: dict, at: datetime) -> Question:
    return {
        "user": user.pk,
        "host": host,
        "purpose": purpose,
        "state": {key: str(getattr(value, "value", value)) for key, value in state.items()},
        "since": at.isoformat(),
    }


def _still_good(question: Question | None, user: User, purpose: str, at: datetime) -> Question:
    if (
        question is None
        or question["user"] != user.pk
        or question["purpose"] != purpose
        or not works_at(question["host"])
        or at - datetime.fromisoformat(question["since"]) > GOOD_FOR
    ):
        raise CannotUsePasskey("stale")
    return question


@contextlib.contextmanager
def _as_refusal() -> Iterator[None]:
    """Whatever a browser can send instead of an answer is refused in one sentence; the library raises these."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError) as wrong:
        raise CannotUsePasskey("no_answer") from wrong
