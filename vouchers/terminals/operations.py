"""Giving out and taking away the right to redeem: terminals, partners, enrolment codes."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.refusals import Refusal
from providers.models import Operator, Premises
from vouchers.elders import sealing
from vouchers.terminals import signing
from vouchers.terminals.models import EnrolmentCode, Partner, Terminal, TerminalKey
from vouchers.terminals.queries import Caller
from vouchers.terminals.tokens import PARTNER, TERMINAL, digest, new_token

ENROLMENT_MINUTES = 15
# Neither 0 nor O, 1 nor I nor L: read out over the telephone and typed on a tablet.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
ENROLMENT_LENGTH = 10

SENTENCES = {
    "code_wrong": _("This code is not good, was used before or has run out. Ask the office for a new one."),
    "name_missing": _("Give it a name by which people will know it, of 60 characters at most."),
    "key_wrong": _("This public key cannot be used, or its own signature does not fit it."),
    "key_kept": _("Another key was registered before. Enrol the terminal anew."),
    "operator_missing": _("Name at least one operator for which the partner may redeem."),
}


class CannotEnrol(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES, `str()` the sentence for a person."""

    sentences = SENTENCES


class Enrolled(NamedTuple):
    """`token` is told once and kept nowhere."""

    terminal: Terminal
    token: str


def add_terminal(
    *, premises: Premises, name: str, by: Any, at: datetime, channel: str = "command"
) -> Enrolled:
    """This function will register one device at one premises and make its token.

    Each call makes another terminal: two devices may bear one name, their numbers tell them apart.
    Raises CannotEnrol: name_missing.
    """
    _check_name(name)
    token = new_token(TERMINAL)
    with transaction.atomic():
        terminal = Terminal.objects.create(
            premises=premises,
            name=name.strip(),
            token_digest=digest(token),
            enrolled_at=at,
            enrolled_by=name_of(by),
        )
        record(
            by=by,
            at=at,
            action="add_terminal",
            subject=terminal.scope,
            detail={"premises": premises.code, "name": terminal.name},
            channel=channel,
        )
    return Enrolled(terminal, token)


def add_partner(
    *,
    name: str,
    operators: Sequence[Operator],
    may_tell_past: bool = False,
    by: Any,
    at: datetime,
    channel: str = "command",
) -> tuple[Partner, str]:
    """This function will register a partner for these operators; the second value is its token.

    Raises CannotEnrol: name_missing, operator_missing.
    """
    _check_name(name)
    if not operators:
        raise CannotEnrol("operator_missing")
    token = new_token(PARTNER)
    with transaction.atomic():
        partner = Partner.objects.create(
            name=name.strip(),
            token_digest=digest(token),
            may_tell_past=may_tell_past,
            added_at=at,
            added_by=name_of(by),
        )
        partner.operators.set(operators)
        record(
            by=by,
            at=at,
            action="add_partner",
            subject=partner.scope,
            detail={
                "name": partner.name,
                "operators": sorted(operator.code for operator in operators),
                "may_tell_past": may_tell_past,
            },
            channel=channel,
        )
    return partner, token


def revoke(*, of: Terminal | Partner, by: Any, at: datetime, channel: str = "web") -> bool:
    """This function will take a token's right away, from the next request on; False when it was gone before.

    Tokens are looked up in the database with each request, so nothing has to be forgotten anywhere.
    """
    with transaction.atomic():
        kept = type(of).objects.filter(pk=of.pk, revoked_at=None)
        if not kept.update(revoked_at=at, revoked_by=name_of(by)):
            return False
        kind = "terminal" if isinstance(of, Terminal) else "partner"
        record(by=by, at=at, action=f"revoke_{kind}", subject=of.scope, channel=channel)
    return True


def give_code(*, premises: Premises, name: str, by: Any, at: datetime) -> str:
    """This function will make a code with which one device can enrol itself within a quarter of an hour.

    The code is told once; kept is a keyed digest. Raises CannotEnrol: name_missing.
    """
    _check_name(name)
    code = "".join(secrets.choice(ALPHABET) for _ in range(ENROLMENT_LENGTH))
    with transaction.atomic():
        made = EnrolmentCode.objects.create(
            premises=premises,
            name=name.strip(),
            code_digest=_code_digest(code),
            given_at=at,
            given_by=name_of(by),
            valid_until=at + timedelta(minutes=ENROLMENT_MINUTES),
        )
        record(
            by=by,
            at=at,
            action="give_enrolment_code",
            subject=f"enrolment:{made.pk}",
            detail={"premises": premises.code, "name": made.name},
        )
    return code


def enrol(*, code: str, at: datetime) -> Enrolled:
    """This function will turn an enrolment code into a terminal, once. Spaces, dashes and case do not matter.

    Raises CannotEnrol: code_wrong, whatever is wrong with it.
    """
    written = "".join(letter for letter in code.upper() if letter in ALPHABET)
    with transaction.atomic():
        given = (
            EnrolmentCode.objects.select_for_update(of=["self"])
            .select_related("premises")
            .filter(code_digest=_code_digest(written), used_at=None, valid_until__gt=at)
            .first()
        )
        if given is None:
            raise CannotEnrol("code_wrong")
        enrolled = add_terminal(
            premises=given.premises, name=given.name, by=given.given_by, at=at, channel="api"
        )
        given.used_at = at
        given.terminal = enrolled.terminal
        given.save(update_fields=["used_at", "terminal"])
    return enrolled


def register_key(
    *, caller: Caller, algorithm: str, public: bytes, proof: bytes, at: datetime
) -> tuple[TerminalKey, bool]:
    """This function will keep the public key of a terminal, once; from then on it signs what it takes without a
    network. The second value is True where the same key was registered before.

    `proof` is the key's own signature over `signing.registration`: the device holds the key, and signs as we check.
    Raises CannotEnrol: key_wrong, key_kept; nothing is written.
    """
    text = signing.registration(public)
    if not signing.is_signed(algorithm=algorithm, public=public, text=text, value=proof):
        raise CannotEnrol("key_wrong")
    with transaction.atomic():
        terminal = Terminal.objects.select_for_update(no_key=True).get(id=caller.id)
        before = TerminalKey.objects.filter(terminal=terminal).first()
        if before is not None:
            if (before.algorithm, bytes(before.public)) != (algorithm, public):
                raise CannotEnrol("key_kept")
            return before, True
        if TerminalKey.objects.filter(public=public).exists():  # a device's key is its own
            raise CannotEnrol("key_wrong")
        key = TerminalKey.objects.create(
            terminal=terminal, algorithm=algorithm, public=public, registered_at=at
        )
        detail = {"algorithm": algorithm, "fingerprint": key.fingerprint}
        record(
            by=caller.scope, at=at, action="register_key", subject=caller.scope, detail=detail, channel="api"
        )
    return key, False


def _check_name(name: str) -> None:
    if not name.strip() or len(name.strip()) > 60 or "\0" in name:
        raise CannotEnrol("name_missing")


def _code_digest(code: str) -> bytes:
    return sealing.lookup(code, field="enrolment code")
