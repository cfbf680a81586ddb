"""People who sign in."""

import unicodedata
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from providers.models import Division, Operator
from vouchers.elders import sealing


class Role(models.TextChoices):
    """What a person is in the approval of money and the running of the city. Blank: a member of the public."""

    OPERATOR_MANAGER = "operator_manager", _("Operator manager")
    CASHIER = "cashier", _("Cashier")
    CAREGIVER = "caregiver", _("Caregiver")
    STREET_OFFICER = "street_officer", _("Street officer")
    BUREAU_CLERK = "bureau_clerk", _("Bureau clerk")
    BUREAU_APPROVER = "bureau_approver", _("Bureau approver")
    AUDITOR = "auditor", _("Auditor")
    HOTLINE_AGENT = "hotline_agent", _("Hotline agent")
    ADMINISTRATOR = "administrator", _("Administrator")
    SECURITY_ADMINISTRATOR = "security_administrator", _("Security administrator")


def canonical(username: str) -> str:
    """The form in which two user names are the same name: NFKC, case folded, without outer spaces.

    Full-width and half-width, upper and lower case are one name: one person, one account.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).strip().casefold())


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username_key=canonical(username or ""))

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """For Django's createsuperuser: an administrator like every other, and noted like every other."""
        from marketplace.accounts.operations import CannotCreateUser, create_user

        user, made = create_user(
            username=username,
            role=Role.ADMINISTRATOR,
            password=password,
            by="command:createsuperuser",
            at=timezone.now(),
        )
        if not made:
            raise CannotCreateUser("name_taken", str(_("There is an account of this name already.")))
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """One person's account. The role says what the person may do, operator and division where."""

    username = models.CharField(
        _("user name"), max_length=150, unique=True, validators=[UnicodeUsernameValidator()]
    )
    username_key = models.CharField(max_length=300, unique=True, editable=False)
    role = models.CharField(_("role"), max_length=32, choices=Role, blank=True)
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="staff", verbose_name=_("operator")
    )
    division = models.ForeignKey(
        Division,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="officers",
        verbose_name=_("division"),
        help_text=_("Empty: the whole city."),
    )
    # Elders and families sign in by phone. AES-GCM bound to this row by the user name; found by keyed digest.
    phone_sealed = models.BinaryField(null=True, editable=False)
    phone_lookup = models.BinaryField(null=True, unique=True, editable=False)
    phone_tail = models.CharField(max_length=4, blank=True, editable=False)
    # Who it is, for staff: a keyed digest of the resident ID, which is itself kept nowhere here.
    person_lookup = models.BinaryField(null=True, editable=False)
    is_staff = models.BooleanField(default=False, editable=False, help_text="asked for by others' code")
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                fields=["person_lookup"], condition=Q(is_active=True), name="one_account_of_a_person"
            ),
            models.CheckConstraint(
                name="nobody_stands_above_roles", condition=Q(is_staff=False, is_superuser=False)
            ),
            models.CheckConstraint(
                name="erased_account_holds_nothing_of_the_person",
                condition=Q(erased_at=None)
                | Q(
                    username__startswith="erased-",
                    phone_sealed=None,
                    phone_lookup=None,
                    phone_tail="",
                    is_active=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.username_key = canonical(self.username)
        if (fields := kwargs.get("update_fields")) is not None and "username" in fields:
            kwargs["update_fields"] = {*fields, "username_key"}
        super().save(*args, **kwargs)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """A session holds for one password and one role: it ends, everywhere, when either changes."""
        return salted_hmac(
            "marketplace.accounts.models.User",
            f"{self.password}\0{self.role}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    def holds(
        self,
        role: str,
        *,
        operator: Operator | None = None,
        division: Division | None = None,
        city: bool = False,
    ) -> bool:
        """Whether this person, today, may act as `role` for this operator and within this division, or for the `city`.

        A person without a division answers for the whole city; one with a division for it and all below it.
        """
        if not self.is_active or self.role != role:
            return False
        if operator is not None and self.operator_id != operator.pk:
            return False
        if city and self.division_id is not None:
            return False
        return division is None or self.division_id is None or self.answers_for(division)

    def answers_for(self, division: Division) -> bool:
        """Whether the person's own division is this one or one above it (at most four levels)."""
        above: Division | None = division
        while above is not None:
            if above.pk == self.division_id:
                return True
            above = above.parent
        return False

    def set_phone(self, number: str) -> None:
        """Not saved. The user name must be set: the sealed number belongs to it."""
        self.phone_sealed = sealing.seal(number, field="user_phone", row=self.username)
        self.phone_lookup = sealing.lookup(number, field="user_phone")
        self.phone_tail = number[-4:]

    def phone(self) -> str:
        if self.phone_sealed is None:
            return ""
        return sealing.open_sealed(self.phone_sealed, field="user_phone", row=self.username)

    @property
    def shown_name(self) -> str:
        """The user name of staff; somebody who signs in by phone is known by its last four digits."""
        return self.username if not self.phone_tail else f"**** {self.phone_tail}"

    @property
    def role_label(self) -> str:
        return str(Role(self.role).label) if self.role else ""


class OneTimeCode(models.Model):
    """Six digits sent to a phone: kept as a keyed digest, good for ten minutes, five tries, one use.

    `subject` is what is guarded (a phone, an elder), `address` whence it was asked; both keyed digests.
    """

    class Purpose(models.TextChoices):
        SIGN_IN = "sign_in", _("signing in")
        RECORD = "record", _("own record")
        DELEGATE = "delegate", _("leave to act")
        CONFIRM = "confirm", _("own data")

    number = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    purpose = models.CharField(max_length=8, choices=Purpose)
    subject = models.BinaryField()
    address = models.BinaryField()
    phone_sealed = models.BinaryField(null=True)
    code_digest = models.BinaryField(null=True, help_text="none: nothing was sent, and nothing fits")
    sent_at = models.DateTimeField()
    good_until = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "-sent_at"], name="one_time_code_of_subject"),
            models.Index(fields=["address", "-sent_at"], name="one_time_code_of_address"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.number}"

    def phone(self) -> str:
        if self.phone_sealed is None:
            return ""
        return sealing.open_sealed(self.phone_sealed, field="code_phone", row=str(self.number))


class Try(models.Model):
    """One wrong code, PIN or paper code, by what it was meant for and whence it came (keyed digests)."""

    subject = models.BinaryField()
    address = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "tries"
        indexes = [
            models.Index(fields=["subject", "-at"], name="try_of_subject"),
            models.Index(fields=["address", "-at"], name="try_of_address"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class SecondFactor(models.Model):
    """An app on the person's phone that shows six digits, new every thirty seconds (RFC 6238)."""

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    secret_sealed = models.BinaryField()
    begun_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=0, help_text="of the last code used: none is taken twice")

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"


class Passkey(models.Model):
    """A key pair on a person's own device (WebAuthn): the public half, under the name that the person gave it.

    `host`: the name of the site it was made for; it signs for no other.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=60)
    host = models.CharField(max_length=253)
    credential_id = models.BinaryField(unique=True)
    credential = models.BinaryField(help_text="attested credential data: device model, id, public key")
    uses = models.BigIntegerField(
        default=0, help_text="the device's own count at the last use; 0: it keeps none"
    )
    added_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="passkey_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="passkey_has_a_name"),
            models.CheckConstraint(condition=Q(uses__gte=0), name="passkey_uses_counted"),
        ]

    def __str__(self) -> str:
        return f"passkey of {self.user_id}"


class RecoveryCode(models.Model):
    """Ten digits on paper for the day the phone is lost. Each works once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class Grant(models.Model):
    """A role that one administrator proposes for a person, and another confirms. `was`: the account then, as text."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for another administrator")
        CONFIRMED = "confirmed", _("granted")
        DECLINED = "declined", _("declined")

    MOVES = {
        State.WAITING: {State.CONFIRMED, State.DECLINED},
        State.CONFIRMED: set(),
        State.DECLINED: set(),
    }

    username = models.CharField(max_length=150)
    username_key = models.CharField(max_length=300)
    role = models.CharField(max_length=32, choices=Role)
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, blank=True, related_name="+")
    division = models.ForeignKey(Division, models.PROTECT, null=True, blank=True, related_name="+")
    was = models.CharField(max_length=120, blank=True)
    person_lookup = models.BinaryField(null=True, editable=False)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="grants")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["username_key"], condition=Q(state="waiting"), name="grant_waits_once"
            ),
            models.CheckConstraint(
                name="grant_by_two_people",
                condition=~Q(state="confirmed")
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by")),
                violation_error_message=_("Another administrator than the one who proposed it confirms."),
            ),
            models.CheckConstraint(
                name="grant_decided_by_somebody",
                condition=Q(state="waiting") | Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.username} {self.role}"


class Invitation(models.Model):
    """Lets an account's person choose a password: a secret of which the keyed digest is kept, good once.

    Only that person ever has the whole of it: whoever made it was shown the first half, and another administrator
    is shown the second, which is sealed until then.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="invitation")
    digest = models.BinaryField(unique=True)
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    half_sealed = models.BinaryField(null=True, help_text="the second half, until it was shown")
    shown_to = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="invitation_halves_to_two_people",
                condition=Q(shown_to=None) | ~Q(shown_to=F("made_by")),
                violation_error_message=_("Another administrator gives out the second half."),
            ),
        ]

    def __str__(self) -> str:
        return f"invitation of {self.user_id}"
