"""Own record, delegation, consent, paper code, call: the ties between an account and an elder.

A live tie is what marketplace/web/family/acting.py looks for on every request, so ending one ends it at once.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from vouchers.elders import sealing
from vouchers.elders.models import Elder

CALL_LASTS = timedelta(hours=1)


class OwnRecord(models.Model):
    """An account that belongs to the elder in person: proven by ID number and phone on file, or by paper."""

    class Proof(models.TextChoices):
        PHONE = "phone", _("ID number and phone on file")
        PAPER = "paper", _("paper code from the community")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="own_records")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="accounts")
    proof = models.CharField(max_length=5, choices=Proof)
    claimed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="own_record_once_live", fields=["user", "elder"], condition=Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.elder_id} by {self.user_id}"


class DelegationQuerySet(models.QuerySet["Delegation"]):
    def live(self, today: date) -> "DelegationQuerySet":
        """Those that let somebody act today."""
        return self.filter(state=Delegation.State.AGREED, until__gte=today)

    def open(self, today: date) -> "DelegationQuerySet":
        """Asked or agreed, and not run out: what an elder sees and may end."""
        return self.filter(state__in=Delegation.OPEN, until__gte=today)

    def with_used(self, at: datetime) -> "DelegationQuerySet":
        """With `used_so_far`: what `used` says of each."""
        of_month = Q(acts__month=timezone.localdate(at).replace(day=1))
        return self.annotate(used_so_far=Coalesce(Sum("acts__amount", filter=of_month), Decimal("0.00")))


class Delegation(models.Model):
    """Somebody asks to act for an elder; the elder agrees, with a scope, a cap a month, and an end."""

    class State(models.TextChoices):
        ASKED = "asked", _("waits for the elder")
        AGREED = "agreed", _("agreed")
        REFUSED = "refused", _("refused")
        ENDED = "ended", _("ended")

    MOVES = {
        State.ASKED: {State.AGREED, State.REFUSED, State.ENDED},
        State.AGREED: {State.ENDED},
        State.REFUSED: set(),
        State.ENDED: set(),
    }
    OPEN = (State.ASKED, State.AGREED)

    class Scope(models.TextChoices):
        ORDER = "order", _("see vouchers and order")
        SEE = "see", _("see vouchers only")

    class Relation(models.TextChoices):
        CHILD = "child", _("son or daughter")
        SPOUSE = "spouse", _("husband or wife")
        GRANDCHILD = "grandchild", _("grandchild")
        RELATIVE = "relative", _("another relative")
        NEIGHBOUR = "neighbour", _("neighbour or friend")

    class Agreed(models.TextChoices):
        CODE = "code", _("code by short message")
        PIN = "pin", _("PIN")
        ACCOUNT = "account", _("on the elder's own phone")
        HOTLINE = "hotline", _("by the hotline")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="delegations")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="delegations")
    # The delegate's name as the elder knows it, sealed and bound to the two of them.
    name_sealed = models.BinaryField()
    relation = models.CharField(max_length=10, choices=Relation)
    scope = models.CharField(max_length=5, choices=Scope)
    cap = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True, help_text="yuan a month")
    until = models.DateField(help_text="last day")
    state = models.CharField(max_length=7, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.CharField(max_length=7, choices=Agreed, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="delegation_once_open",
                fields=["user", "elder"],
                condition=Q(state__in=["asked", "agreed"]),
            ),
            models.CheckConstraint(
                name="delegation_that_orders_has_a_cap",
                condition=Q(scope="order", cap__gt=0) | Q(scope="see", cap=None),
            ),
            models.CheckConstraint(
                name="delegation_agreed_says_when_and_how",
                condition=~Q(state="agreed") | (Q(agreed_at__isnull=False) & ~Q(agreed_by="")),
            ),
            models.CheckConstraint(
                name="delegation_closed_says_when",
                condition=Q(state__in=["asked", "agreed"], ended_at=None)
                | Q(state__in=["refused", "ended"], ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.elder_id}: {self.state}"

    def seal_name(self, name: str) -> None:
        """Not saved."""
        self.name_sealed = sealing.seal(name, field="delegate_name", row=f"{self.user_id} {self.elder_id}")

    def name(self) -> str:
        """Empty once the delegate or the elder was erased."""
        if not self.name_sealed:
            return ""
        return sealing.open_sealed(
            self.name_sealed, field="delegate_name", row=f"{self.user_id} {self.elder_id}"
        )

    def is_live(self, today: date) -> bool:
        return self.state == self.State.AGREED and self.until >= today

    def has_run_out(self, today: date) -> bool:
        return self.state in self.OPEN and self.until < today

    def used(self, at: datetime) -> Decimal:
        """Yuan of vouchers set aside or spent by this delegate in the month (Shanghai) of `at`."""
        first = timezone.localdate(at).replace(day=1)
        return self.acts.filter(month=first).aggregate(sum=Sum("amount"))["sum"] or Decimal("0.00")


class DelegateAct(models.Model):
    """What a delegate used of the cap: an order's vouchers; taken back by a row of its own, negative."""

    append_only = True

    delegation = models.ForeignKey(Delegation, models.PROTECT, related_name="acts")
    key = models.CharField(max_length=120, unique=True)
    month = models.DateField(help_text="first day of the month that it counts in")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Consent(models.Model):
    """What somebody was told or agreed to, in which version, when: one row a time, never changed."""

    append_only = True

    class Matter(models.TextChoices):
        NOTICE = "notice", _("privacy notice")
        SENSITIVE = "sensitive", _("sensitive data: ID number, health, welfare status")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="consents")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="+")
    matter = models.CharField(max_length=9, choices=Matter)
    version = models.CharField(max_length=12)
    given = models.BooleanField(help_text="no: withdrawn")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "elder", "matter", "-at"], name="consent_latest")]

    def __str__(self) -> str:
        return f"{self.matter} {self.version}: {self.given}"


class PaperCode(models.Model):
    """A code on paper by which an elder's account is tied to the record: once, until a day."""

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="paper_codes")
    code_lookup = models.BinaryField(unique=True, help_text="keyed HMAC-SHA256 of the code")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    until = models.DateField(help_text="last day")
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    voided_at = models.DateTimeField(null=True, blank=True, help_text="when a later one took its place")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="paper_code_one_open_an_elder",
                fields=["elder"],
                condition=Q(used_at=None, voided_at=None),
            ),
            models.CheckConstraint(
                name="paper_code_used_by_somebody",
                condition=Q(used_at=None, used_by=None) | Q(used_at__isnull=False, used_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"paper code of {self.elder_id}"


class Call(models.Model):
    """A hotline agent serves one elder: rung back on the phone on file, then acting until the call ends."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="calls")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="calls")
    opened_at = models.DateTimeField()
    called_back_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(name="call_one_an_agent", fields=["agent"], condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"call {self.pk}"
