"""The terms of one kind of voucher, and each run that issued some."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ledger.models import Entry
from providers.models import Division, Lease, Service
from vouchers.elders.models import Elder


class Programme(models.Model):
    class Settlement(models.TextChoices):
        OFFSET = "offset", _("offsets rent")
        PAYOUT = "payout", _("paid out")

    class Scope(models.TextChoices):
        PREMISES = "premises", _("the lease's premises")
        OPERATOR = "operator", _("the operator's premises")
        CITY = "city", _("the whole city")

    class Cadence(models.TextChoices):
        ONCE = "once", _("once")
        MONTHLY = "monthly", _("monthly")
        QUARTERLY = "quarterly", _("quarterly")

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    settlement = models.CharField(max_length=6, choices=Settlement)
    lease = models.ForeignKey(Lease, models.PROTECT, null=True, blank=True, related_name="programmes")
    scope = models.CharField(max_length=8, choices=Scope)
    face_value = models.DecimalField(max_digits=10, decimal_places=2)
    divisible = models.BooleanField()
    per_elder = models.PositiveSmallIntegerField()
    cadence = models.CharField(max_length=9, choices=Cadence)
    starts_on = models.DateField()
    ends_on = models.DateField()
    valid_days = models.PositiveSmallIntegerField(null=True, blank=True)
    max_share = models.DecimalField(max_digits=7, decimal_places=6, default=1)
    min_spend = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    categories = ArrayField(models.CharField(max_length=16, choices=Service.Category))
    min_age = models.PositiveSmallIntegerField(null=True, blank=True)
    min_ability = models.PositiveSmallIntegerField(null=True, blank=True)
    any_of = ArrayField(models.CharField(max_length=16, choices=Elder.Group), default=list, blank=True)
    divisions = models.ManyToManyField(Division, blank=True, related_name="programmes")
    budget = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="programme_offsets_a_lease",
                condition=Q(settlement="payout") | Q(lease__isnull=False),
                violation_error_message=_("A programme that offsets rent names its lease."),
            ),
            models.CheckConstraint(
                name="programme_scope_has_a_lease",
                condition=Q(scope="city") | Q(lease__isnull=False),
                violation_error_message=_("Scope premises or operator needs a lease."),
            ),
            models.CheckConstraint(
                name="programme_values_sound",
                condition=Q(
                    face_value__gt=0, per_elder__gt=0, max_share__gt=0, max_share__lte=1, min_spend__gte=0
                )
                & Q(ends_on__gte=F("starts_on")),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class IssueRun(models.Model):
    """One run that issued vouchers of one programme for one period; its entry is Issued to Outstanding."""

    append_only = True

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="issue_runs")
    issued_on = models.DateField(help_text="first day of the period")
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=150)
    elders = models.PositiveIntegerField()
    vouchers = models.PositiveIntegerField()
    value = models.DecimalField(max_digits=16, decimal_places=2)
    entry = models.OneToOneField(Entry, models.PROTECT, related_name="issue_run")

    class Meta:
        ordering = ["-issued_on", "programme", "id"]

    def __str__(self) -> str:
        return f"{self.programme} {self.issued_on}"
