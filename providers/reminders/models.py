"""Letters that remind operators of rent they owe: what was sent, when, and about which months. Never changed."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.leases.models import Lease


class ReminderRun(models.Model):
    """Letters that were made together."""

    append_only = True

    dated_on = models.DateField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.dated_on}-{self.pk}"


class Reminder(models.Model):
    """One letter to the operator of a lease. `content` is frozen: names and addresses as of that day, and the
    letter before on the same debt; no person stands in it."""

    append_only = True

    class Grade(models.IntegerChoices):
        FIRST = 1, _("first reminder")
        SECOND = 2, _("second reminder")
        THIRD = 3, _("third reminder")

    run = models.ForeignKey(ReminderRun, models.PROTECT, related_name="letters")
    lease = models.ForeignKey(Lease, models.PROTECT, related_name="reminders", db_index=False)
    number = models.CharField(max_length=30, unique=True)
    grade = models.PositiveSmallIntegerField(choices=Grade)
    dated_on = models.DateField()
    pay_until = models.DateField()
    amount = models.DecimalField(max_digits=16, decimal_places=2, help_text="yuan owed on that day")
    content = models.JSONField()

    class Meta:
        ordering = ["-dated_on", "lease"]
        constraints = [
            models.UniqueConstraint(fields=["lease", "dated_on"], name="reminded_once_a_day"),
            models.CheckConstraint(name="reminder_grade_known", condition=Q(grade__gte=1, grade__lte=3)),
            models.CheckConstraint(name="reminder_leaves_time", condition=Q(pay_until__gt=F("dated_on"))),
            models.CheckConstraint(name="reminder_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return self.number


class ReminderLine(models.Model):
    """One month that a letter names, and what was open of it, in yuan."""

    append_only = True

    reminder = models.ForeignKey(Reminder, models.PROTECT, related_name="lines", db_index=False)
    month = models.DateField()
    amount = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["month"]
        constraints = [
            models.UniqueConstraint(fields=["reminder", "month"], name="reminder_names_a_month_once"),
            models.CheckConstraint(name="reminder_line_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.reminder_id} {self.month:%Y-%m}"
