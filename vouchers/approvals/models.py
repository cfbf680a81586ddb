"""What a document that takes three approvals has, and one of its steps. Abstract: each kind has its own tables."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Document(models.Model):
    """Drawn up again until approved, then never.

    `digest` is SHA-256 over its figures and what stands behind them; `round` counts how often changed figures
    made the approvals start over.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("waits for the operator")
        CONFIRMED = "confirmed", _("waits for the street")
        REVIEWED = "reviewed", _("waits for the bureau")
        APPROVED = "approved", _("posted")

    MOVES = {
        State.DRAFT: {State.CONFIRMED},
        State.CONFIRMED: {State.REVIEWED, State.DRAFT},
        State.REVIEWED: {State.APPROVED, State.DRAFT},
        State.APPROVED: set(),
    }

    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    digest = models.CharField(max_length=64)
    round = models.PositiveSmallIntegerField(default=1)
    drawn_at = models.DateTimeField()

    class Meta:
        abstract = True


class Taken(models.Model):
    """One step of one person over one digest. Steps of an earlier round stay, and no longer count.

    A confirmation that came by silence has nobody's name: `deemed` (rules.md section 7).
    """

    append_only = True

    class Step(models.TextChoices):
        CONFIRM = "confirm", _("confirmed by the operator")
        REVIEW = "review", _("reviewed by the street")
        APPROVE = "approve", _("approved by the bureau")

    step = models.CharField(max_length=7, choices=Step)
    round = models.PositiveSmallIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    on_paper = models.BooleanField(default=False, help_text="a clerk recorded the operator's signed paper")
    deemed = models.BooleanField(
        default=False, db_default=False, help_text="the term of objection passed in silence"
    )
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        abstract = True
