"""The log of messages: to whom, what about, by which way, when, and what came of it."""

import json
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from marketplace.messages import words
from vouchers.elders import sealing
from vouchers.models import Elder


class Message(models.Model):
    """One message to one elder, one user, or one phone that nobody has signed in with yet.

    The words are not kept but made anew from `kind` and facts; those are sealed, since they may name people.
    Their time over, or the person erased, the facts are emptied. What is secret (a code) is gone once it is sent. A phone number stands here only sealed, and only when it
    belongs to no record of ours.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        NO_PHONE = "no_phone", _("no phone on file")
        NO_CHANNEL = "no_channel", _("no way out is set up")
        TOO_LATE = "too_late", _("too late to be of use")

    number = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=32)
    elder = models.ForeignKey(Elder, models.PROTECT, null=True, blank=True, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    phone_sealed = models.BinaryField(null=True)
    language = models.CharField(max_length=10, default="zh-hans")
    facts_sealed = models.BinaryField(help_text="what the sentence names, as JSON")
    secret_sealed = models.BinaryField(null=True)
    once = models.CharField(max_length=120, null=True, unique=True)
    created_at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.WAITING)
    channel = models.CharField(max_length=16, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=80, blank=True, help_text="the gateway's own number for it")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["elder", "-created_at"], name="message_of_elder"),
            models.Index(fields=["user", "-created_at"], name="message_of_user"),
        ]
        constraints = [
            models.CheckConstraint(
                name="message_has_one_recipient",
                condition=Q(elder__isnull=False, user=None, phone_sealed=None)
                | Q(elder=None, user__isnull=False, phone_sealed=None)
                | Q(elder=None, user=None, phone_sealed__isnull=False),
            ),
            models.CheckConstraint(
                name="message_keeps_no_secret_once_it_is_out",
                condition=Q(outcome="waiting") | Q(secret_sealed=None),
            ),
            models.CheckConstraint(
                name="message_sent_has_a_time",
                condition=Q(outcome="sent", sent_at__isnull=False) | ~Q(outcome="sent"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

    def phone(self) -> str:
        """Where it goes: the number on file today, so that a changed number is honoured. Empty: none."""
        if self.elder is not None:
            return self.elder.phone()
        if self.user is not None:
            return self.user.phone()
        assert self.phone_sealed is not None  # the constraint says so
        return sealing.open_sealed(self.phone_sealed, field="message_phone", row=str(self.number))

    def seal(self, facts: dict[str, Any], secret: dict[str, str]) -> None:
        """Not saved."""
        self.facts_sealed = self._sealed(facts, "message_facts")
        self.secret_sealed = self._sealed(secret, "message_secret") if secret else None

    def facts(self) -> dict[str, Any]:
        """Nothing once they were emptied."""
        if not self.facts_sealed:
            return {}
        return self._opened(self.facts_sealed, "message_facts")

    def secret(self) -> dict[str, str]:
        """The code that it carries; empty once it is out."""
        return self._opened(self.secret_sealed, "message_secret") if self.secret_sealed else {}

    def text(self, *, language: str = "", secret: dict[str, str] | None = None) -> str:
        """The message in words, in its own language or another; secret parts as dots unless given."""
        if not self.facts_sealed:
            with translation.override(language or self.language):
                return str(_("The words were removed."))
        return words.text(self.kind, self.facts(), language=language or self.language, secret=secret)

    def _sealed(self, value: dict[str, Any], field: str) -> bytes:
        return sealing.seal(json.dumps(value, ensure_ascii=False), field=field, row=str(self.number))

    def _opened(self, sealed: bytes | memoryview, field: str) -> dict[str, Any]:
        return json.loads(sealing.open_sealed(sealed, field=field, row=str(self.number)))
