"""Inspections of premises, what they found, until when it is to be mended, and the re-check."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.leases.models import Lease


class Inspection(models.Model):
    """One visit of an officer to the premises of a lease."""

    append_only = True

    lease = models.ForeignKey(Lease, models.PROTECT, related_name="inspections")
    inspected_on = models.DateField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-inspected_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["lease", "inspected_on"], name="inspection_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.lease_id} {self.inspected_on}"


class Finding(models.Model):
    """What an inspection found wrong. Open until somebody has looked again and found it mended."""

    class Area(models.TextChoices):
        FIRE = "fire", _("fire safety")
        FOOD = "food", _("food safety")
        SERVICE = "service", _("services")
        PRICES = "prices", _("prices and vouchers")
        USE = "use", _("use of the premises")
        OTHER = "other", _("other")

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="findings")
    area = models.CharField(max_length=8, choices=Area)
    text = models.CharField(max_length=500)
    mend_until = models.DateField()
    mended_on = models.DateField(null=True, blank=True)
    mended_by = models.CharField(max_length=150, blank=True, help_text="who looked again")
    added_by = models.CharField(max_length=150, blank=True, help_text="where not noted with the inspection")
    added_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["mend_until", "id"]
        constraints = [
            models.CheckConstraint(name="finding_says_something", condition=~Q(text="")),
            models.CheckConstraint(
                name="finding_mended_by_someone",
                condition=Q(mended_on=None, mended_by="") | (Q(mended_on__isnull=False) & ~Q(mended_by="")),
            ),
            models.CheckConstraint(
                name="finding_added_by_someone",
                condition=Q(added_at=None, added_by="") | (Q(added_at__isnull=False) & ~Q(added_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id} {self.area}"


class ReCheck(models.Model):
    """One look again at a finding; not mended, it gets a new day."""

    append_only = True

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="rechecks")
    checked_on = models.DateField()
    mended = models.BooleanField()
    until_on = models.DateField(null=True, blank=True, help_text="the new day, where it is not mended")
    note = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="recheck_mended_or_a_new_day",
                condition=Q(mended=True, until_on=None)
                | Q(mended=False, until_on__isnull=False, until_on__gte=F("checked_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.finding_id} {self.checked_on}"
