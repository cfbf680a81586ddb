"""What must happen after a commit, written in the transaction that owes it (see docs/decisions)."""

from django.db import models
from django.db.models import Q


class Outbox(models.Model):
    """One thing owed: `topic` names its handler, `payload` is its JSON argument; `key` makes it once."""

    key = models.CharField(max_length=120, unique=True)
    topic = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "outbox"
        indexes = [models.Index(fields=["due_at"], name="outbox_owed", condition=Q(done_at=None))]

    def __str__(self) -> str:
        return self.key
