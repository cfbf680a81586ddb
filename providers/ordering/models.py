"""When premises are open, and how each offer is ordered: terms, weekly sittings, dated slots, places booked."""

from datetime import date
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from providers.leases.models import BOTH_ENDS, DateRange
from providers.premises.models import Premises
from providers.services.models import Offer

UP_TO = RangeBoundary(inclusive_lower=True, inclusive_upper=False)


class ClockRange(Func):
    """From one time of day up to another, on an arbitrary day: PostgreSQL has no range of times."""

    function = "tsrange"
    template = "tsrange('2000-01-03'::date + %(expressions)s)"
    arg_joiner = ", '2000-01-03'::date + "
    output_field = DateTimeRangeField()


class Weekday(models.IntegerChoices):
    """As Python counts them. The context keeps them apart from Django's own long names of days."""

    MONDAY = 0, pgettext_lazy("short weekday", "Monday")
    TUESDAY = 1, pgettext_lazy("short weekday", "Tuesday")
    WEDNESDAY = 2, pgettext_lazy("short weekday", "Wednesday")
    THURSDAY = 3, pgettext_lazy("short weekday", "Thursday")
    FRIDAY = 4, pgettext_lazy("short weekday", "Friday")
    SATURDAY = 5, pgettext_lazy("short weekday", "Saturday")
    SUNDAY = 6, pgettext_lazy("short weekday", "Sunday")


class Weekly(models.Model):
    """What repeats every week, from `starts_on` to `ends_on`, both included; open where None (weeks.py)."""

    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        abstract = True

    def is_on(self, day: date) -> bool:
        """Whether this holds on that very day."""
        return (
            day.weekday() == self.weekday and (self.starts_on or day) <= day and day <= (self.ends_on or day)
        )

    @staticmethod
    def never_overlap(name: str, of: str, begins: str, ends: str, sentence: Any) -> ExclusionConstraint:
        """No two rows of one house, offer or person meet on one day."""
        return ExclusionConstraint(
            name=name,
            expressions=[
                (of, RangeOperators.EQUAL),
                ("weekday", RangeOperators.EQUAL),
                (ClockRange(begins, ends), RangeOperators.OVERLAPS),
                (DateRange("starts_on", "ends_on", BOTH_ENDS), RangeOperators.OVERLAPS),
            ],
            violation_error_message=sentence,
        )


class OpeningHours(Weekly):
    """Open on every such weekday from `opens_at` up to `closes_at`; a day may have several rows."""

    premises = models.ForeignKey(Premises, models.CASCADE, related_name="opening_hours", db_index=False)
    opens_at = models.TimeField()
    closes_at = models.TimeField()

    class Meta:
        ordering = ["premises", "weekday", "opens_at"]
        constraints = [
            models.CheckConstraint(
                name="opening_hours_close_after_opening",
                condition=Q(closes_at__gt=F("opens_at"), weekday__lte=6),
                violation_error_message=_("Closing time lies after opening time."),
            ),
            Weekly.never_overlap(
                "opening_hours_never_overlap",
                "premises",
                "opens_at",
                "closes_at",
                _("Two opening times of one day overlap."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.premises_id} {self.weekday} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


class Closure(models.Model):
    """Closed on these days, both included, whatever the weekly hours say."""

    premises = models.ForeignKey(Premises, models.CASCADE, related_name="closures", db_index=False)
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["premises", "starts_on"]
        constraints = [
            models.CheckConstraint(
                name="closure_ends_after_start",
                condition=Q(ends_on__gte=F("starts_on")),
                violation_error_message=_("The last day lies before the first."),
            ),
            ExclusionConstraint(
                name="closures_never_overlap",
                expressions=[
                    ("premises", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on", BOTH_ENDS), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("These days are closed already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.premises_id} {self.starts_on}–{self.ends_on}"


class OrderTerms(models.Model):
    """How one offer is ordered. Without this row it is not: people come by and are served."""

    class Where(models.TextChoices):
        THERE = "there", _("at the place")
        HOME = "home", _("at home")

    class Manner(models.TextChoices):
        SITTING = "sitting", _("a sitting or delivery window with places")
        APPOINTMENT = "appointment", _("an appointment with a caregiver")

    class Needs(models.TextChoices):
        """What a caregiver must hold to be sent for it."""

        CARE = "care", _("care worker's certificate")
        REHABILITATION = "rehabilitation", _("rehabilitation therapist's certificate")
        FITTING = "fitting", _("fitter's certificate")
        HELP = "help", _("health certificate")

    offer = models.OneToOneField(Offer, models.CASCADE, related_name="order_terms")
    where = models.CharField(max_length=5, choices=Where)
    manner = models.CharField(max_length=11, choices=Manner)
    order_until_minutes = models.PositiveIntegerField(
        help_text="before it begins: later is too late to order"
    )
    cancel_until_minutes = models.PositiveIntegerField(
        help_text="before it begins: later is too late to cancel"
    )
    days_ahead = models.PositiveSmallIntegerField(help_text="how many days ahead it may be ordered")
    minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="how long one appointment takes, the way included"
    )
    needs = models.CharField(max_length=14, choices=Needs, blank=True)

    class Meta:
        verbose_name_plural = "order terms"
        constraints = [
            models.CheckConstraint(
                name="order_terms_appointment_says_how_long",
                condition=Q(manner="sitting", minutes=None, needs="")
                | Q(manner="appointment", minutes__gt=0) & ~Q(needs=""),
                violation_error_message=_("An appointment says how long it takes and who may be sent."),
            ),
            models.CheckConstraint(
                name="order_terms_cancel_is_not_later_than_a_year",
                condition=Q(order_until_minutes__lte=525_600, cancel_until_minutes__lte=525_600),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.manner}"


class Sitting(Weekly):
    """Every such weekday, this many places from `starts_at` to `ends_at`: a sitting, or a delivery window."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="sittings", db_index=False)
    starts_at = models.TimeField()
    ends_at = models.TimeField()
    capacity = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["offer", "weekday", "starts_at"]
        constraints = [
            Weekly.never_overlap(
                "sittings_never_overlap",
                "offer",
                "starts_at",
                "ends_at",
                _("Two sittings of one day overlap."),
            ),
            models.CheckConstraint(
                name="sitting_ends_after_start_and_has_places",
                condition=Q(ends_at__gt=F("starts_at"), capacity__gt=0, weekday__lte=6),
                violation_error_message=_("A sitting ends after it begins and has at least one place."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.weekday} {self.starts_at:%H:%M}"


class Slot(models.Model):
    """One sitting on one day, made when its first place is booked. `taken` counts places of bookings not freed."""

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="slots", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["offer", "starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "starts_at"], name="slot_once"),
            models.CheckConstraint(
                name="slot_never_overbooked",
                condition=Q(taken__lte=F("capacity"), ends_at__gt=F("starts_at")),
                violation_error_message=_("All places are taken."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.starts_at:%Y-%m-%d %H:%M}"


class Booking(models.Model):
    """`quantity` places in a slot, for the order that made `key`."""

    key = models.CharField(max_length=80, unique=True)
    slot = models.ForeignKey(Slot, models.PROTECT, related_name="bookings")
    quantity = models.PositiveSmallIntegerField()
    booked_at = models.DateTimeField()
    freed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="booking_quantity_positive", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return self.key
