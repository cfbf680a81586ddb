"""A piece of work that somebody started from a page, what was uploaded for it, and what came of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    """First it is checked and nothing is written; once a person has looked at that, it is done.

    `args` are the kind's own (a day, a month, a bank's layout, digests looked at); `result` is what
    marketplace/jobs/kinds.py made of the stage, for marketplace/web/bureau/results.py to show.
    """

    class Kind(models.TextChoices):
        CITY = "city", _("Register files")
        ISSUE = "issue", _("Issue of vouchers")
        REDEMPTIONS = "redemptions", _("Redemption file")
        REVERSALS = "reversals", _("Reversal file")
        EXPIRE = "expire", _("Expiry of vouchers")
        CLOSE = "close", _("Drawing up a month")
        BANK = "bank", _("Bank file")
        STEPS = "steps", _("Steps of statements")
        REVIEW = "review", _("Review of a month")
        DRAW = "draw", _("Draw of call-backs")

    class Stage(models.TextChoices):
        CHECK = "check", _("check")
        DO = "do", _("do")

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for its turn")
        WORKING = "working", _("under way")
        CHECKED = "checked", _("checked, waits for you")
        REFUSED = "refused", _("refused")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        DROPPED = "dropped", _("dropped")

    MOVES = {
        State.WAITING: {State.WORKING},
        State.WORKING: {State.WAITING, State.CHECKED, State.REFUSED, State.DONE, State.FAILED},
        State.CHECKED: {State.WAITING, State.DROPPED},
        State.REFUSED: set(),
        State.DONE: set(),
        State.FAILED: set(),
        State.DROPPED: set(),
    }
    UNDER_WAY = (State.WAITING, State.WORKING)

    kind = models.CharField(max_length=12, choices=Kind)
    args = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs")
    created_at = models.DateTimeField()
    stage = models.CharField(max_length=5, choices=Stage)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    started_at = models.DateTimeField(null=True, blank=True)
    alive_at = models.DateTimeField(null=True, blank=True, help_text="last sign of life of its worker")
    ended_at = models.DateTimeField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "-id"], name="job_history")]
        constraints = [
            models.CheckConstraint(
                name="job_ended_at_some_time",
                condition=Q(state__in=["waiting", "working"]) | Q(ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def under_way(self) -> bool:
        return self.state in self.UNDER_WAY

    @property
    def share(self) -> int:
        """How far it is, in percent."""
        return min(100, self.done * 100 // self.total) if self.total else 0


class JobFile(models.Model):
    """A file that was uploaded for a job. Its bytes are sealed, and gone once the job has ended."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="files")
    name = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="job_file_once")]

    def __str__(self) -> str:
        return self.name


class FilePart(models.Model):
    """A megabyte of a file, sealed for its place: register files hold ID numbers."""

    file = models.ForeignKey(JobFile, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="file_part_once")]

    def __str__(self) -> str:
        return f"{self.file_id}.{self.number}"


class JobLine(models.Model):
    """One line that a job has something to say about: a row that was refused, a statement, a bank line."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="lines", db_index=False)
    stage = models.CharField(max_length=5, choices=Job.Stage)
    line = models.PositiveIntegerField()
    about = models.CharField(max_length=80, blank=True, help_text="a code or number; nothing personal")
    word = models.CharField(max_length=24, help_text="a code: of refusal, or how it stands")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["job", "stage", "id"], name="job_lines")]

    def __str__(self) -> str:
        return f"{self.job_id}:{self.line} {self.word}"
