"""Who did what, when, by which channel. Append-only; written by ledger.audit.operations.record()."""

from django.db import models


class Record(models.Model):
    append_only = True

    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=150, help_text="username, or the name of a nightly task or terminal")
    channel = models.CharField(max_length=16)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=80, help_text="code or number of what it is about")
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["subject"], name="record_of_subject")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.by} {self.action} {self.subject}"
