"""Who may redeem without signing in: terminals at their counters, partners for their operators.

A token is 32 random bytes, shown once; here only its SHA-256 is kept. Whoever reads this table can redeem nothing.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from providers.models import Operator, Premises
from vouchers.terminals.signing import Algorithm, fingerprint


class Bearer(models.Model):
    """Whoever shows the token acts, until it is revoked. Revoked, the row is kept: redemptions name it."""

    name = models.CharField(max_length=60)
    token_digest = models.BinaryField(unique=True, help_text="SHA-256 of the token")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=150, blank=True)

    class Meta:
        abstract = True
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="%(class)s_revoked_by_someone",
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
            ),
        ]

    @property
    def scope(self) -> str:
        """Whose its keys are, and the name under which it acts: terminal:12."""
        return f"{self._meta.model_name}:{self.pk}"


class Terminal(Bearer):
    """One device that takes vouchers at one premises."""

    premises = models.ForeignKey(Premises, models.PROTECT, related_name="terminals")
    enrolled_at = models.DateTimeField()
    enrolled_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"{self.premises.code} {self.name}"


class TerminalKey(models.Model):
    """The public key by which a terminal's servings without a network are checked: one, and never another. A device
    that has lost its own is enrolled anew."""

    terminal = models.OneToOneField(Terminal, models.PROTECT, primary_key=True, related_name="key")
    algorithm = models.CharField(max_length=7, choices=[(one.value, one.value) for one in Algorithm])
    public = models.BinaryField(unique=True, help_text="raw; vouchers/terminals/signing.py")
    registered_at = models.DateTimeField()

    append_only = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="terminal_key_is_of_its_length",
                condition=(Q(algorithm=Algorithm.ED25519.value) & Q(Exact(Length("public"), 32)))
                | (Q(algorithm=Algorithm.ES256.value) & Q(Exact(Length("public"), 65))),
            ),
        ]

    def __str__(self) -> str:
        return self.fingerprint

    @property
    def fingerprint(self) -> str:
        return fingerprint(bytes(self.public))


class Partner(Bearer):
    """Another firm's system that redeems for the operators it serves.

    With `may_tell_past` it may tell of any day, as a file may.
    """

    operators = models.ManyToManyField(Operator, related_name="partners")
    may_tell_past = models.BooleanField(default=False)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.name


class EnrolmentCode(models.Model):
    """A code that the office gives out to enrol one device: short-lived, good once."""

    premises = models.ForeignKey(Premises, models.PROTECT, related_name="+")
    name = models.CharField(max_length=60, help_text="of the terminal it will make")
    code_digest = models.BinaryField(unique=True, help_text="keyed HMAC-SHA256 of the code")
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=150)
    valid_until = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    terminal = models.OneToOneField(Terminal, models.PROTECT, null=True, related_name="enrolment")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="enrolment_used_makes_a_terminal",
                condition=Q(used_at=None, terminal=None) | Q(used_at__isnull=False, terminal__isnull=False),
            ),
            models.CheckConstraint(
                name="enrolment_code_runs_out",
                condition=Q(valid_until__gt=F("given_at")),
                violation_error_message=_("An enrolment code is good for a short time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.premises_id} {self.name}"
