"""Making people."""

import secrets
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ledger.audit.operations import record
from ledger.files.problems import Wrong
from ledger.files.resident_ids import resident_id
from marketplace.accounts.models import Role, User, canonical
from providers.models import Division, Operator
from vouchers.elders import sealing


class CannotCreateUser(Exception):
    """A person's account cannot be made; carries one sentence and a code."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def person_of(id_number: str) -> bytes | None:
    """The digest by which a second account of one person is found; None where no number is given.

    Raises CannotCreateUser: id_invalid.
    """
    number = "".join(unicodedata.normalize("NFKC", id_number).split()).upper()
    if not number:
        return None
    try:
        resident_id(number)
    except Wrong:
        raise CannotCreateUser(
            "id_invalid",
            _("This is not a resident ID: 18 characters, the last may be X. Check each of them."),
        ) from None
    return sealing.lookup(number, field="staff_person")


def other_account(person: bytes | None, username: str) -> User | None:
    """The account in use of this person under another name."""
    if person is None:
        return None
    others = User.objects.filter(person_lookup=person, is_active=True)
    return others.exclude(username_key=canonical(username)).first()


def two_accounts(other: User) -> str:
    return _("This person has an account already: %(name)s. Change its role, or end it first.") % {
        "name": other.username
    }


WITH_OPERATOR = {Role.OPERATOR_MANAGER, Role.CASHIER, Role.CAREGIVER}


@transaction.atomic
def create_user(
    *,
    username: str,
    role: str,
    operator: Operator | None = None,
    division: Division | None = None,
    password: str | None = None,
    person: bytes | None = None,
    by: Any,
    at: datetime,
    channel: str = "command",
) -> tuple[User, bool]:
    """This function will make one person's account; returns it, and whether it was made now.

    Two names that differ only in case or width are one name: one person, one account. The same name with the
    same role, operator and division again changes nothing, not the password either. Without a password the
    person cannot sign in until one is set.

    `person` (`person_of`) is whose account it is: nobody has two in use.

    Raises: CannotCreateUser with role_unknown, operator_missing, operator_unwanted, name_taken, name_invalid,
    two_accounts or password_weak; nothing is written.
    """
    if role not in Role.values:
        raise CannotCreateUser("role_unknown", _("There is no role “%(role)s”.") % {"role": role})
    if role in WITH_OPERATOR and operator is None:
        raise CannotCreateUser("operator_missing", _("This role works for an operator: say which one."))
    if role not in WITH_OPERATOR and operator is not None:
        raise CannotCreateUser("operator_unwanted", _("Only an operator's own staff belong to an operator."))

    existing = User.objects.filter(username_key=canonical(username)).first()
    if existing is not None:
        return _same_person(existing, role=role, operator=operator, division=division), False

    if (other := other_account(person, username)) is not None:
        raise CannotCreateUser("two_accounts", two_accounts(other))
    user = User(username=username, role=role, operator=operator, division=division, person_lookup=person)
    if password is None:
        user.set_unusable_password()
    else:
        _checked(lambda: validate_password(password, user), "password_weak")
        user.set_password(password)
    _checked(lambda: user.clean_fields(exclude=["password", "username_key"]), "name_invalid")
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody made it in between
        if (other := other_account(person, username)) is not None:
            raise CannotCreateUser("two_accounts", two_accounts(other)) from None
        existing = User.objects.get(username_key=canonical(username))
        return _same_person(existing, role=role, operator=operator, division=division), False
    record(
        by=by,
        at=at,
        action="create_user",
        subject=f"user:{user.pk}",
        detail={
            "username": user.username,
            "role": role,
            "operator": operator.code if operator else None,
            "division": division.code if division else None,
        },
        channel=channel,
    )
    return user, True


def _same_person(existing: User, *, role: str, operator: Operator | None, division: Division | None) -> User:
    asked = (role, operator and operator.pk, division and division.pk)
    if (existing.role, existing.operator_id, existing.division_id) != asked:
        raise CannotCreateUser(
            "name_taken",
            _("“%(name)s” exists already with another role, operator or division; nothing was changed.")
            % {"name": existing.username},
        )
    return existing


def _checked(check: Callable[[], None], code: str) -> None:
    try:
        check()
    except ValidationError as error:
        raise CannotCreateUser(code, " ".join(error.messages)) from None


@transaction.atomic
def account_of_phone(*, phone: str, at: datetime) -> User:
    """This function will find or make the account of whoever has proven this phone. Two at once make one.

    The user name says nothing of the phone. It may be closed (is_active): the caller looks.
    """
    lookup = sealing.lookup(phone, field="user_phone")
    existing = User.objects.filter(phone_lookup=lookup).first()
    if existing is not None:
        return existing
    user = User(username=f"p-{secrets.token_hex(6)}")
    user.set_unusable_password()
    user.set_phone(phone)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody signed in with it in between
        return User.objects.get(phone_lookup=lookup)
    record(by=user, at=at, action="create_user", subject=f"user:{user.pk}", detail={"by": "phone"})
    return user
