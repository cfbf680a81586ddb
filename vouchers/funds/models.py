"""What was given to the charity fund, and how much of it may be used in a time."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.models import Receipt


class Donation(models.Model):
    """An incoming bank line that was taken into the fund; given back to suspense, it is undone."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="donations")
    donor = models.CharField(max_length=120, blank=True, help_text="blank: wishes not to be named")
    wish = models.CharField(max_length=200, blank=True)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["receipt"], condition=Q(undone_at=None), name="one_donation_a_bank_line"
            ),
            models.CheckConstraint(name="donation_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="donation_undone_by_someone",
                condition=Q(undone_at=None, undone_by="") | (Q(undone_at__isnull=False) & ~Q(undone_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_id} {self.amount}"


class FundBudget(models.Model):
    """How much of the fund the charity parts of services may use from a day to another, both included.

    Changed only by a later row over the same days: the last one counts.
    """

    append_only = True

    starts_on = models.DateField()
    ends_on = models.DateField()
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-starts_on", "-id"]
        constraints = [
            models.CheckConstraint(
                name="fund_budget_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="fund_budget_not_negative",
                condition=Q(amount__gte=0),
                violation_error_message=_("A budget is at least zero."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on}–{self.ends_on}"
