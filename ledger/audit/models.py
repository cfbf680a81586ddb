"""Who did what, when, by which channel. Append-only; written by ledger.audit.operations.record()."""

from django.db import models
from django.db.models import Q

SEEN = (
    "copy_data",
    "evidence_pack",
    "export_audit",
    "export_elders",
    "export_unused",
    "find_elder",
    "open_call",
    "open_record",
    "print_card",
    "print_paper_code",
    "read_audit",
    "replace_card",
    "reveal_name",
    "reveal_phone",
    "see_elder",
    "see_photo",
)
"""The actions by which somebody saw or took away what is about persons."""


class Record(models.Model):
    append_only = True

    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=150, help_text="username, or the name of a nightly task or terminal")
    channel = models.CharField(max_length=16)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=80, help_text="code or number of what it is about")
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["subject"], name="record_of_subject"),
            models.Index(fields=["by", "at"], name="record_by_whom"),
            models.Index(fields=["at"], condition=Q(action__in=SEEN), name="record_of_seeing"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.by} {self.action} {self.subject}"
