"""What is delivered where, and who pays which part of its price."""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import IntegerRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from providers.leases.models import BOTH_ENDS, DateRange
from providers.premises.models import Premises


class AgeRange(Func):
    """int4range(from, until, '[]'): whole years, both ends included."""

    function = "int4range"
    output_field = IntegerRangeField()


class Service(models.Model):
    class Category(models.TextChoices):
        CANTEEN = "canteen", _("canteen")
        DELIVERY = "delivery", _("delivery")
        HOME_CARE = "home_care", _("home care")
        REHABILITATION = "rehabilitation", _("rehabilitation")
        DAY_CARE = "day_care", _("day care")
        ADAPTATION = "adaptation", _("home adaptation")
        RECREATION = "recreation", _("recreation")

    class Unit(models.TextChoices):
        MEAL = "meal", _("meal")
        VISIT = "visit", _("visit")
        HOUR = "hour", _("hour")
        DAY = "day", _("day")
        ITEM = "item", _("item")

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    category = models.CharField(max_length=16, choices=Category)
    unit = models.CharField(max_length=8, choices=Unit)
    daily_limit = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Offer(models.Model):
    """This service is delivered from these premises; `ends_on` is the last day on which it is, None open."""

    premises = models.ForeignKey(Premises, models.PROTECT, related_name="offers")
    service = models.ForeignKey(Service, models.PROTECT, related_name="offers")
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["premises", "service"], name="offer_once")]

    def __str__(self) -> str:
        return f"{self.premises_id} {self.service_id}"

    def has_ended(self, day: date) -> bool:
        """Whether it is no longer delivered on that day."""
        return self.ends_on is not None and self.ends_on < day


class Price(models.Model):
    """A dated price for an age band: list price = government + concession + charity + elder price.

    Dates and ages include both ends; None is open.
    """

    service = models.ForeignKey(Service, models.PROTECT, related_name="prices")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    min_age = models.PositiveSmallIntegerField(null=True, blank=True)
    max_age = models.PositiveSmallIntegerField(null=True, blank=True)
    list_price = models.DecimalField(max_digits=12, decimal_places=2)
    government = models.DecimalField(max_digits=12, decimal_places=2)
    concession = models.DecimalField(max_digits=12, decimal_places=2)
    charity = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ["service", "valid_from", "min_age"]
        constraints = [
            ExclusionConstraint(
                name="prices_of_one_service_never_overlap",
                expressions=[
                    (DateRange("valid_from", "valid_until", BOTH_ENDS), RangeOperators.OVERLAPS),
                    (AgeRange("min_age", "max_age", BOTH_ENDS), RangeOperators.OVERLAPS),
                    ("service", RangeOperators.EQUAL),
                ],
                violation_error_message=_("Two prices of one service overlap in date and age."),
            ),
            models.CheckConstraint(
                name="price_parts_within_list_price",
                condition=Q(government__gte=0, concession__gte=0, charity__gte=0)
                & Q(list_price__gte=F("government") + F("concession") + F("charity")),
                violation_error_message=_("The parts of a price exceed its list price."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.valid_from}"


class CashPrice(models.Model):
    """What somebody without vouchers pays at these premises, from `valid_from` until the next such row."""

    premises = models.ForeignKey(Premises, models.PROTECT, related_name="cash_prices")
    service = models.ForeignKey(Service, models.PROTECT, related_name="cash_prices")
    valid_from = models.DateField()
    price = models.DecimalField(max_digits=12, decimal_places=2, help_text="yuan a unit")

    class Meta:
        ordering = ["premises", "service", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["premises", "service", "valid_from"], name="cash_price_once"),
            models.CheckConstraint(name="cash_price_positive", condition=Q(price__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.premises_id} {self.service_id} {self.valid_from}"


class TermsVersion(models.Model):
    """One row, raised by triggers whenever terms change (leases, prices, offers, programmes, operators).

    Processes keep terms in memory and drop them when this number has moved.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(name="terms_version_single_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self.version)
