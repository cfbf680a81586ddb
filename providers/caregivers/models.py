"""Who is sent to people's homes, what they are qualified for, when they work, and what is in their diary."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from providers.operators.models import Operator
from providers.ordering.models import UP_TO, OrderTerms, Weekly
from providers.services.models import Offer


class InstantRange(Func):
    """tstzrange(from, up to, '[)'): one visit may begin when another ends."""

    function = "tstzrange"
    output_field = DateTimeRangeField()


class Caregiver(models.Model):
    """One person who works for an operator; `left_on` is the first day on which no longer.

    `user` is the account with which the caregiver tells of visits, where there is one.
    """

    code = models.CharField(max_length=12, unique=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="caregivers")
    name = models.CharField(max_length=60)
    left_on = models.DateField(null=True, blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="caregiver"
    )

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Qualification(models.Model):
    """A certificate of one kind, good on both its days and between; no end is open."""

    caregiver = models.ForeignKey(Caregiver, models.CASCADE, related_name="qualifications")
    kind = models.CharField(max_length=14, choices=OrderTerms.Needs)
    number = models.CharField(max_length=60)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["caregiver", "kind", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["caregiver", "kind", "number"], name="qualification_once"),
            models.CheckConstraint(
                name="qualification_ends_after_start",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                violation_error_message=_("A certificate ends after it begins."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Shift(Weekly):
    """Works every such weekday from `starts_at` up to `ends_at`."""

    caregiver = models.ForeignKey(Caregiver, models.CASCADE, related_name="shifts", db_index=False)
    starts_at = models.TimeField()
    ends_at = models.TimeField()

    class Meta:
        ordering = ["caregiver", "weekday", "starts_at"]
        constraints = [
            models.CheckConstraint(
                name="shift_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at"), weekday__lte=6),
                violation_error_message=_("A shift ends after it begins."),
            ),
            Weekly.never_overlap(
                "shifts_never_overlap",
                "caregiver",
                "starts_at",
                "ends_at",
                _("Two shifts of one day overlap."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.caregiver_id} {self.weekday} {self.starts_at:%H:%M}"


class Appointment(models.Model):
    """One caregiver is taken from `starts_at` up to `ends_at`, by the order that made `key`."""

    key = models.CharField(max_length=80, unique=True)
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="appointments")
    caregiver = models.ForeignKey(Caregiver, models.PROTECT, related_name="appointments", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    booked_at = models.DateTimeField()
    freed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="appointment_ends_after_start", condition=Q(ends_at__gt=F("starts_at"))
            ),
            ExclusionConstraint(
                name="appointments_of_one_caregiver_never_overlap",
                expressions=[
                    ("caregiver", RangeOperators.EQUAL),
                    (InstantRange("starts_at", "ends_at", UP_TO), RangeOperators.OVERLAPS),
                ],
                condition=Q(freed_at=None),
                violation_error_message=_("This caregiver has another appointment at that time."),
            ),
        ]
        indexes = [models.Index(fields=["caregiver", "starts_at"], name="appointment_of_caregiver")]

    def __str__(self) -> str:
        return f"{self.caregiver_id} {self.starts_at:%Y-%m-%d %H:%M}"
