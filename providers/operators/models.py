"""The firms that run facilities and deliver services."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Operator(models.Model):
    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    uscc = models.CharField(max_length=18, blank=True, help_text="unified social credit code")
    phone = models.CharField(max_length=24, blank=True)
    filing_no = models.CharField(max_length=60, blank=True)
    stars = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class SafetyCheck(models.Model):
    """One fire and food safety check; the latest on or before a service date must be 365 days old at most."""

    operator = models.ForeignKey(Operator, models.PROTECT, related_name="safety_checks")
    checked_on = models.DateField()

    class Meta:
        ordering = ["operator", "checked_on"]
        constraints = [models.UniqueConstraint(fields=["operator", "checked_on"], name="safety_check_once")]

    def __str__(self) -> str:
        return f"{self.checked_on}"


class Suspension(models.Model):
    """The day of suspension counts, the day of reinstatement does not."""

    operator = models.ForeignKey(Operator, models.PROTECT, related_name="suspensions")
    starts_on = models.DateField()
    reinstated_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["operator", "starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["operator", "starts_on"], name="suspension_once"),
            models.CheckConstraint(
                name="suspension_ends_after_start",
                condition=Q(reinstated_on=None) | Q(reinstated_on__gt=F("starts_on")),
                violation_error_message=_("An operator is reinstated after its suspension began."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on}–{self.reinstated_on or ''}"


class StaffLink(models.Model):
    """Somebody who works for an operator, or a relative of one who does.

    Known by `person` alone: the keyed digest of the ID number by which the register of elders finds its rows
    (vouchers/elders/sealing.py), so that nobody is named here and staff who are no elders stay unknown.
    """

    class Relation(models.TextChoices):
        STAFF = "staff", _("works there")
        RELATIVE = "relative", _("relative of one who works there")

    operator = models.ForeignKey(Operator, models.PROTECT, related_name="staff_links")
    person = models.BinaryField(max_length=32)
    relation = models.CharField(max_length=8, choices=Relation)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["operator", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "person", "relation", "starts_on"], name="staff_link_once"
            ),
            models.CheckConstraint(
                name="staff_link_ends_after_start", condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operator_id} {self.relation}"


class PayeeAccount(models.Model):
    """The bank account to which an operator is paid, from a day on; the latest counts."""

    append_only = True

    operator = models.ForeignKey(Operator, models.PROTECT, related_name="payee_accounts")
    from_on = models.DateField()
    holder = models.CharField(max_length=120)
    number = models.CharField(max_length=40)
    bank = models.CharField(max_length=120)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["operator", "from_on", "id"]

    def __str__(self) -> str:
        return f"{self.holder} {self.number}"
