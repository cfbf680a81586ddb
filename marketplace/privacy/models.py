"""Requests to be erased, and what was cleared when its time was over."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from vouchers.models import Elder


class Erasure(models.Model):
    """Somebody asks to be erased: an elder of the register, or an account without one. Another person decides.

    `at_desk`: the person asked a clerk, who wrote down why and how it was made sure who asked.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("waits for a decision")
        ERASED = "erased", _("erased")
        DECLINED = "declined", _("refused")
        WITHDRAWN = "withdrawn", _("taken back")

    MOVES = {
        State.ASKED: {State.ERASED, State.DECLINED, State.WITHDRAWN},
        State.ERASED: set(),
        State.DECLINED: set(),
        State.WITHDRAWN: set(),
    }

    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="erasures")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="erasures"
    )
    at_desk = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=200, blank=True, help_text="why it was refused")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="erasure_of_an_elder_or_an_account",
                condition=Q(elder__isnull=False, user=None) | Q(elder=None, user__isnull=False),
            ),
            models.UniqueConstraint(name="erasure_asked_once", fields=["elder"], condition=Q(state="asked")),
            models.UniqueConstraint(
                name="erasure_of_account_asked_once", fields=["user"], condition=Q(state="asked")
            ),
            models.CheckConstraint(
                name="erasure_decided_by_another",
                condition=~Q(state__in=["erased", "declined"])
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decided_by=F("asked_by")),
                violation_error_message=_("Somebody else than who asked decides."),
            ),
            models.CheckConstraint(
                name="erasure_at_a_desk_says_why", condition=Q(at_desk=False) | ~Q(reason="")
            ),
            models.CheckConstraint(
                name="erasure_refused_says_why", condition=~Q(state="declined") | ~Q(answer="")
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"

    @property
    def subject(self) -> str:
        """What the audit calls whom it is about: a code or an account's number, never a name."""
        return self.elder.code if self.elder is not None else f"user:{self.user_id}"


class Clearing(models.Model):
    """One kind of data looked through once: how many were past their time and removed or emptied, how many are held
    still, and since when."""

    append_only = True

    kind = models.CharField(max_length=24)
    at = models.DateTimeField()
    cleared = models.PositiveBigIntegerField()
    held = models.PositiveBigIntegerField()
    oldest_on = models.DateField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "-id"], name="clearing_latest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}"
