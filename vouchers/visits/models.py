"""Visits and what was told of them. See docs/decisions/0013-visits.md."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.caregivers.models import InstantRange
from providers.models import Caregiver
from providers.ordering.models import UP_TO
from vouchers.photos.models import Photo
from vouchers.visits.evidence import Grade
from vouchers.wallets.models import Hold


class Visit(models.Model):
    """One caregiver at one elder's home for one hold, from `arrived_at` up to `left_at`.

    `quantity` is what was delivered, as told on leaving; none where nobody was there. `undelivered` is the code of the refusal where leaving
    could not be turned into a redemption.
    """

    Grade = Grade

    hold = models.OneToOneField(Hold, models.PROTECT, related_name="visit")
    caregiver = models.ForeignKey(Caregiver, models.PROTECT, related_name="visits", db_index=False)
    arrived_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    quantity = models.PositiveSmallIntegerField(null=True, blank=True)
    grade = models.CharField(max_length=9, choices=Grade, default=Grade.CLAIMED)
    undelivered = models.CharField(max_length=24, blank=True)

    class Meta:
        ordering = ["arrived_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="visit_ends_after_it_begins",
                condition=Q(left_at=None, quantity=None)
                | Q(left_at__gte=F("arrived_at")) & (Q(quantity=None) | Q(quantity__gt=0)),
                violation_error_message=_("One leaves after arriving."),
            ),
            ExclusionConstraint(
                name="visits_of_one_caregiver_never_overlap",
                expressions=[
                    ("caregiver", RangeOperators.EQUAL),
                    (InstantRange("arrived_at", "left_at", UP_TO), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("At that time this caregiver was at another visit."),
            ),
        ]
        indexes = [models.Index(fields=["caregiver", "arrived_at"], name="visit_of_caregiver")]

    def __str__(self) -> str:
        return f"{self.caregiver_id} {self.arrived_at:%Y-%m-%d %H:%M}"


class VisitReport(models.Model):
    """One thing told of one hold's visit, once for its key. Refused, it counts for nothing and `refusal` says why.

    `by` is the account that told it. Where it stands on a map is asked on arrival only, in degrees and metres.
    """

    append_only = True
    emptied: ClassVar = ("longitude", "latitude", "accuracy_m")  # by erasure, and once their time is over

    class Kind(models.TextChoices):
        ARRIVED = "arrived", _("arrived")
        PHOTO = "photo", _("photo")
        CONFIRMED = "confirmed", _("confirmed by the elder")
        LEFT = "left", _("left")
        ABSENT = "absent", _("nobody was there")
        DENIED = "denied", _("the elder says that nobody came")
        UNREACHED = "unreached", _("nobody answered the telephone")

    class How(models.TextChoices):
        """How the elder confirmed."""

        CODE = "code", _("code on the elder's phone")
        CARD = "card", _("card and PIN")
        PIN = "pin", _("elder's code and PIN")
        HOTLINE = "hotline", _("by telephone with the hotline")

    CALLS = (Kind.DENIED, Kind.UNREACHED)

    scope = models.CharField(max_length=24, help_text="whose key it is")
    key = models.CharField(max_length=80)
    request = models.BinaryField(help_text="SHA-256 of what was told")
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="reports", db_index=False)
    caregiver = models.ForeignKey(Caregiver, models.PROTECT, related_name="reports", db_index=False)
    kind = models.CharField(max_length=9, choices=Kind)
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=150)
    how = models.CharField(max_length=7, choices=How, blank=True)
    quantity = models.PositiveSmallIntegerField(null=True, blank=True)
    photo = models.OneToOneField(Photo, models.PROTECT, null=True, related_name="visit_report")
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=6, null=True, blank=True)
    accuracy_m = models.PositiveIntegerField(null=True, blank=True)
    refusal = models.CharField(max_length=24, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="visit_report_key_once"),
            models.UniqueConstraint(
                fields=["hold", "kind"],
                condition=Q(refusal="", kind__in=["arrived", "left", "confirmed", "absent", "denied"]),
                name="visit_is_told_once",
                violation_error_message=_("This was told of this visit before."),
            ),
            models.CheckConstraint(
                name="visit_place_is_taken_on_arrival_only",
                condition=Q(longitude=None, latitude=None, accuracy_m=None)
                | Q(kind="arrived", longitude__isnull=False, latitude__isnull=False),
                violation_error_message=_("Where somebody is, is asked on arrival only."),
            ),
            models.CheckConstraint(
                name="visit_photo_is_there",
                condition=Q(kind="photo", photo__isnull=False)
                | Q(kind="photo") & ~Q(refusal="")
                | ~Q(kind="photo") & Q(photo=None),
            ),
            models.CheckConstraint(
                name="visit_confirmation_says_how",
                condition=Q(kind="confirmed") & (~Q(how="") | ~Q(refusal=""))
                | ~Q(kind="confirmed") & Q(how=""),
            ),
        ]
        indexes = [models.Index(fields=["hold", "id"], name="visit_report_of_hold")]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"VR-{self.pk:09d}"
