"""What the nightly tasks did: one row a run, shown in the admin."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class NightlyRun(models.Model):
    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    task = models.CharField(max_length=40, db_index=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=7, choices=Outcome, default=Outcome.RUNNING)
    summary = models.TextField(blank=True, help_text="what it printed, or why it failed")

    class Meta:
        ordering = ["-started_at"]
        verbose_name = _("nightly run")
        verbose_name_plural = _("nightly runs")

    def __str__(self) -> str:
        return f"{self.task} {self.started_at:%Y-%m-%d %H:%M}"
