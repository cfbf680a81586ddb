"""Granting roles: one administrator proposes, another confirms; ending an account takes one and holds at once.

The command create_user makes the first administrators; from then on pages go this way alone. An administrator
makes people and approves nothing: no role that moves money is an administrator's. Nor can one become another
person: the code of an invitation comes in two halves from two administrators.

System, security and audit are three roles: an administrator proposes, a security administrator confirms, an
auditor reads what both did. Until somebody has the second role, another administrator confirms.
"""

import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.refusals import Refusal
from marketplace.accounts.models import Grant, Invitation, Role, User, canonical
from marketplace.accounts.operations import (
    WITH_OPERATOR,
    CannotCreateUser,
    create_user,
    other_account,
    person_of,
    two_accounts,
)
from providers.models import Division, Operator
from vouchers.elders import sealing

INVITATION_DAYS = 7
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is read for another
BOTH = (Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)
HALF = 8  # of the code, for each of two administrators

SENTENCES = {
    "not_administrator": _("Only an administrator grants roles and ends accounts."),
    "not_security": _("A security administrator confirms this."),
    "last_security": _("This is the only security administrator. Grant the role to another person first."),
    "role_unknown": _("Choose a role."),
    "operator_missing": _("This role works for an operator: say which one."),
    "operator_unwanted": _("Only an operator's own staff belong to an operator."),
    "person_missing": _("Give the person's resident ID: by it nobody gets a second account."),
    "name_missing": _("Give the user name under which the person signs in."),
    "other_person": _("This account is another person's: make a new one under another name."),
    "no_role_to_a_phone": _("Elders and families sign in by phone and have no role."),
    "same": _("The person has just this role already."),
    "own": _("Nobody changes their own role: another administrator proposes it."),
    "waiting": _("A change for this person waits already: confirm or decline it first."),
    "same_person": _("Another administrator than the one who proposed it confirms."),
    "decided": _("Somebody has decided this meanwhile."),
    "changed": _("The account has changed since this was proposed. Decline it and propose anew."),
    "last_administrators": _(
        "Fewer than two administrators would be left, and nobody could grant a role any more. Grant the role to another person first."
    ),
    "ended": _("This account is ended already."),
    "own_half": _("You gave out the first half: another administrator gives out the second."),
    "half_gone": _("The second half was given out already, or the invitation is used or too old."),
    "invitation_gone": _("This invitation was used or is too old. Ask an administrator for a new one."),
}


class CannotGrant(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES, or the sentence is given."""

    sentences = SENTENCES

    def __init__(self, code: str, sentence: str = "") -> None:
        super().__init__(code)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence or super().__str__()


def _administrator(by: User, roles: Iterable[Role] = (Role.ADMINISTRATOR,)) -> User:
    """The administrator as of now, not as of when the session began."""
    now = User.objects.filter(pk=by.pk, is_active=True, role__in=roles).first()
    if now is None:
        raise CannotGrant("not_administrator")
    return now


def confirms(by: User) -> bool:
    """Whether this person may decide on proposals: a security administrator; while there is none, administrators."""
    if by.role == Role.ADMINISTRATOR:
        return not _security().exists()
    return by.role == Role.SECURITY_ADMINISTRATOR


def _security() -> QuerySet[User]:
    return User.objects.filter(role=Role.SECURITY_ADMINISTRATOR, is_active=True)


def _confirmer(by: User) -> User:
    now = _administrator(by, BOTH)
    if not confirms(now):
        raise CannotGrant("not_security")
    return now


def propose(
    *,
    username: str,
    role: str,
    operator: Operator | None = None,
    division: Division | None = None,
    id_number: str = "",
    by: User,
    at: datetime,
) -> Grant:
    """This function will note that a person, known or new, shall have a role. Nothing changes yet.

    `id_number`: the person's resident ID, asked of whoever is not known by it yet; a keyed digest of it is kept.
    An ended account is opened again by such a grant. Raises CannotGrant.
    """
    username = username.strip()
    with transaction.atomic():
        _administrator(by)
        if not username:
            raise CannotGrant("name_missing")
        if role not in Role.values:
            raise CannotGrant("role_unknown")
        if role in WITH_OPERATOR and operator is None:
            raise CannotGrant("operator_missing")
        if role not in WITH_OPERATOR and operator is not None:
            raise CannotGrant("operator_unwanted")
        user = User.objects.filter(username_key=canonical(username)).first()
        if user is None:
            try:
                User._meta.get_field("username").run_validators(username)
            except ValidationError as error:
                raise CannotGrant("name_invalid", " ".join(error.messages)) from None
        else:
            _check_known(user, role=role, operator=operator, division=division, by=by)
        person = _person(user, username, id_number)
        grant = Grant(
            person_lookup=person,
            username=user.username if user else username,
            username_key=canonical(username),
            role=role,
            operator=operator,
            division=division,
            was=_standing(user),
            proposed_by=by,
            proposed_at=at,
        )
        try:
            with transaction.atomic():
                grant.save()
        except IntegrityError as error:
            if "grant_waits_once" not in str(error):
                raise
            raise CannotGrant("waiting") from None
        _tell(grant, "propose_role", by=by, at=at)
    return grant


def _person(user: User | None, username: str, id_number: str) -> bytes:
    """Whose account it is. Raises CannotGrant: person_missing, id_invalid, other_person, two_accounts."""
    try:
        person = person_of(id_number)
    except CannotCreateUser as refusal:
        raise CannotGrant(refusal.code, str(refusal)) from None
    known = bytes(user.person_lookup) if user is not None and user.person_lookup is not None else None
    if person is None and known is None:
        raise CannotGrant("person_missing")
    if person is not None and known is not None and person != known:
        raise CannotGrant("other_person")
    person = person or known
    assert person is not None
    _alone(person, username)
    return person


def _alone(person: bytes | None, username: str) -> None:
    if (other := other_account(person, username)) is not None:
        raise CannotGrant("two_accounts", two_accounts(other))


def _check_known(
    user: User, *, role: str, operator: Operator | None, division: Division | None, by: User
) -> None:
    if user.phone_lookup is not None:
        raise CannotGrant("no_role_to_a_phone")
    if user.pk == by.pk:
        raise CannotGrant("own")
    asked = (role, operator and operator.pk, division and division.pk)
    if user.is_active and (user.role, user.operator_id, user.division_id) == asked:
        raise CannotGrant("same")
    if role != user.role:
        _keep_enough(user)


def _lock(*keys: str) -> None:
    """Lock every administrator's account and those with these names, in one order: of two who would end each
    other at once, the second sees what the first has done."""
    rows = User.objects.select_for_update().filter(Q(role__in=BOTH) | Q(username_key__in=keys))
    list(rows.order_by("id"))


def _keep_enough(leaving: User) -> None:
    """Two administrators at least stay, and the last security administrator: else one person could grant alone."""
    if leaving.role == Role.SECURITY_ADMINISTRATOR:
        if leaving.is_active and not _security().exclude(pk=leaving.pk).exists():
            raise CannotGrant("last_security")
        return
    if leaving.role != Role.ADMINISTRATOR:
        return
    others = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exclude(pk=leaving.pk)
    if others.count() < 2:
        raise CannotGrant("last_administrators")


def confirm(*, grant: Grant, by: User, at: datetime) -> tuple[User, str]:
    """This function will give the role, once somebody else than the one who proposed it says so.

    That is a security administrator, or another administrator where there is none.

    Returns the account, and for a new one the first half of its invitation's code: shown this once, good for a
    week and one use; another administrator gives out the second (`second_half`). Whoever had another role is
    signed out everywhere, since a session holds for one role (models.py). Raises CannotGrant.
    """
    with transaction.atomic():
        grant = _waiting(grant)
        _lock(grant.username_key)
        _confirmer(by)
        if grant.proposed_by_id == by.pk:
            raise CannotGrant("same_person")
        user = User.objects.filter(username_key=grant.username_key).first()
        if _standing(user) != grant.was:
            raise CannotGrant("changed")
        if user is not None and user.pk == by.pk:
            raise CannotGrant("own")
        person = None if grant.person_lookup is None else bytes(grant.person_lookup)
        _alone(person, grant.username)
        half = ""
        if user is None:
            try:
                user, _made = create_user(
                    username=grant.username, role=grant.role, operator=grant.operator,
                    division=grant.division, person=person, by=by, at=at, channel="web",
                )  # fmt: skip
            except CannotCreateUser as refusal:
                raise CannotGrant(refusal.code, str(refusal)) from None
            half = _invite(user, by, at)
        else:
            if grant.role != user.role:
                _keep_enough(user)
            user.role, user.operator, user.division = grant.role, grant.operator, grant.division
            user.person_lookup = person or user.person_lookup
            if not user.is_active:
                user.is_active = True
                user.set_unusable_password()
                half = _invite(user, by, at)
            user.save(
                update_fields=["role", "operator", "division", "person_lookup", "is_active", "password"]
            )
        grant.state, grant.decided_by, grant.decided_at = Grant.State.CONFIRMED, by, at
        grant.user = user
        grant.save()
        _tell(grant, "grant_role", by=by, at=at)
    return user, half


def decline(*, grant: Grant, by: User, at: datetime) -> Grant:
    """This function will end a proposal without granting anything; whoever proposed it may do so too."""
    with transaction.atomic():
        grant = _waiting(grant)
        if grant.proposed_by_id == by.pk:
            _administrator(by)
        else:
            _confirmer(by)
        grant.state, grant.decided_by, grant.decided_at = Grant.State.DECLINED, by, at
        grant.save(update_fields=["state", "decided_by", "decided_at"])
        _tell(grant, "decline_role", by=by, at=at)
    return grant


def end_account(*, user: User, reason: str, by: User, at: datetime) -> User:
    """This function will end an account at once: no page answers it any more. One administrator is enough.

    Raises CannotGrant.
    """
    with transaction.atomic():
        _lock(user.username_key)
        _administrator(by, BOTH)
        user = User.objects.get(pk=user.pk)
        if user.pk == by.pk:
            raise CannotGrant("own")
        if not user.is_active:
            raise CannotGrant("ended")
        _keep_enough(user)
        user.is_active = False
        user.set_unusable_password()
        user.save(update_fields=["is_active", "password"])
        detail = {"role": [user.role, ""], "username": [user.username, ""], "reason": ["", reason]}
        record(by=by, at=at, action="end_account", subject=f"user:{user.pk}", detail=detail)
    return user


def new_invitation(*, user: User, by: User, at: datetime) -> str:
    """This function will make a new invitation for somebody who has lost the password; the one before is void.

    The password that was no longer works. Returns the first half of the code. Raises CannotGrant.
    """
    with transaction.atomic():
        _administrator(by)
        user = User.objects.select_for_update().get(pk=user.pk)
        if user.pk == by.pk:
            raise CannotGrant("own")
        if not user.is_active or user.phone_lookup is not None:
            raise CannotGrant("ended")
        user.set_unusable_password()
        user.save(update_fields=["password"])
        half = _invite(user, by, at)
        record(by=by, at=at, action="invite_again", subject=f"user:{user.pk}")
    return half


def half_waiting(at: datetime) -> QuerySet[Invitation]:
    """The invitations whose second half nobody has been shown yet."""
    waiting = Invitation.objects.filter(half_sealed__isnull=False, used_at=None, until__gt=at)
    return waiting.filter(user__is_active=True).select_related("user", "made_by").order_by("id")


def second_half(*, user: User, by: User, at: datetime) -> str:
    """This function will give out the second half of an invitation's code, once, to an administrator who has
    not seen the first: so nobody but the invited person has the whole. Raises CannotGrant.
    """
    with transaction.atomic():
        _administrator(by, BOTH)
        found = half_waiting(at).select_for_update(of=["self"]).filter(user=user).first()
        if found is None or found.half_sealed is None or user.pk == by.pk:
            raise CannotGrant("half_gone")
        if found.made_by_id == by.pk:
            raise CannotGrant("own_half")
        half = sealing.open_sealed(found.half_sealed, field="invitation_half", row=user.username_key)
        found.half_sealed, found.shown_to = None, by
        found.save(update_fields=["half_sealed", "shown_to"])
        record(by=by, at=at, action="give_second_half", subject=f"user:{user.pk}")
    return half


def accept(*, secret: str, password: str, at: datetime) -> User:
    """This function will set the password that an invited person chose; the invitation is used up.

    Raises CannotGrant: invitation_gone, password_weak.
    """
    with transaction.atomic():
        invitation = invited(secret, at, lock=True)
        user = User.objects.select_for_update().get(pk=invitation.user_id)
        if not user.is_active:
            raise CannotGrant("invitation_gone")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CannotGrant("password_weak", " ".join(error.messages)) from None
        user.set_password(password)
        user.save(update_fields=["password"])
        invitation.used_at = at
        invitation.save(update_fields=["used_at"])
        record(by=user, at=at, action="accept_invitation", subject=f"user:{user.pk}")
    return user


def invited(secret: str, at: datetime, *, lock: bool = False) -> Invitation:
    """The invitation with this secret, still good. Raises CannotGrant."""
    rows = Invitation.objects.select_for_update(of=["self"]) if lock else Invitation.objects.all()
    found = (
        rows.select_related("user")
        .filter(digest=sealing.lookup(plain(secret), field="invitation"), until__gt=at, used_at=None)
        .first()
    )
    if found is None or not found.user.is_active:
        raise CannotGrant("invitation_gone")
    return found


def _waiting(grant: Grant) -> Grant:
    grant = Grant.objects.select_for_update(of=["self"]).get(pk=grant.pk)
    if grant.state != Grant.State.WAITING:
        raise CannotGrant("decided")
    return grant


def _standing(user: User | None) -> str:
    """What an account is now, as text: what a proposal was made on."""
    if user is None:
        return ""
    return f"{user.pk}:{user.role}:{user.operator_id or ''}:{user.division_id or ''}:{int(user.is_active)}"


def plain(secret: str) -> str:
    """An invitation's code as it was made, however it was typed."""
    return "".join(unicodedata.normalize("NFKC", secret).split()).replace("-", "").upper()


def _invite(user: User, by: User, at: datetime) -> str:
    """The first half of a new invitation's code; the invitation before is void."""
    first, second = ("".join(secrets.choice(LETTERS) for _ in range(HALF)) for _half in range(2))
    Invitation.objects.update_or_create(
        user=user,
        defaults={
            "digest": sealing.lookup(first + second, field="invitation"),
            "until": at + timedelta(days=INVITATION_DAYS),
            "used_at": None,
            "made_by": by,
            "half_sealed": sealing.seal(second, field="invitation_half", row=user.username_key),
            "shown_to": None,
        },
    )
    return first


def _tell(grant: Grant, action: str, *, by: User, at: datetime) -> None:
    record(
        by=by,
        at=at,
        action=action,
        subject=f"user:{grant.user_id}" if grant.user_id else f"grant:{grant.pk}",
        detail={
            "username": grant.username,
            "role": grant.role,
            "operator": grant.operator.code if grant.operator else None,
            "division": grant.division.code if grant.division else None,
            "grant": grant.pk,
        },
    )
