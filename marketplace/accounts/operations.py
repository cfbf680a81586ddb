"""Making people."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ledger.audit.operations import record
from marketplace.accounts.models import Role, User, canonical
from providers.models import Division, Operator
from vouchers.elders import sealing


class CannotCreateUser(Exception):
    """A person's account cannot be made; carries one sentence and a code."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


WITH_OPERATOR = {Role.OPERATOR_MANAGER, Role.CASHIER, Role.CAREGIVER}


@transaction.atomic
def create_user(
    *,
    username: str,
    role: str,
    operator: Operator | None = None,
    division: Division | None = None,
    password: str | None = None,
    by: Any,
    at: datetime,
    channel: str = "command",
) -> tuple[User, bool]:
    """This function will make one person's account; returns it, and whether it was made now.

    Two names that differ only in case or width are one name: one person, one account. The same name with the
    same role, operator and division again changes nothing, not the password either. Without a password the
    person cannot sign in until one is set.

    Raises: CannotCreateUser with role_unknown, operator_missing, operator_unwanted, name_taken, name_invalid
    or password_weak; nothing is written.
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

    user = User(username=username, role=role, operator=operator, division=division)
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
