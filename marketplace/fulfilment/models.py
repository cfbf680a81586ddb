"""Orders, the work orders that they make, and orders that stand."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.models import Appointment, Booking, Caregiver, Offer, OrderTerms
from vouchers.elders import sealing
from vouchers.models import Delegation, Elder, Hold


class CareOrder(models.Model):
    """One to one with an order of Oscar's: for which elder, by whom, placed once for its key."""

    order = models.OneToOneField("order.Order", models.PROTECT, related_name="care")
    key = models.CharField(max_length=60, unique=True)
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="orders", db_index=False)
    delegation = models.ForeignKey(Delegation, models.PROTECT, null=True, related_name="orders")
    placed_by = models.CharField(max_length=150)
    channel = models.CharField(max_length=16)
    placed_at = models.DateTimeField()

    class Meta:
        ordering = ["-placed_at", "-id"]
        indexes = [models.Index(fields=["elder", "-placed_at"], name="order_of_elder")]

    def __str__(self) -> str:
        return self.key


class WorkOrder(models.Model):
    """One service that was ordered: what is to be done when and where, its hold and its place.

    The hold is the truth of the money; `state` follows it. `address` is sealed, bound to `key`. `caregiver` is
    whom the office sends; until then an appointment names who was free when it was ordered.
    """

    class State(models.TextChoices):
        PLACED = "placed", _("ordered")
        ACCEPTED = "accepted", _("accepted")
        ASSIGNED = "assigned", _("assigned")
        UNDERWAY = "underway", _("on the way")
        DONE = "done", _("delivered")
        CANCELLED = "cancelled", _("cancelled")
        DECLINED = "declined", _("declined")
        MISSED = "missed", _("did not take place")

    CLOSING = frozenset({State.DONE, State.CANCELLED, State.MISSED})
    MOVES = {
        State.PLACED: CLOSING | {State.ACCEPTED, State.ASSIGNED, State.UNDERWAY, State.DECLINED},
        State.ACCEPTED: CLOSING | {State.PLACED, State.ASSIGNED, State.UNDERWAY, State.DECLINED},
        State.ASSIGNED: CLOSING | {State.PLACED, State.UNDERWAY, State.DECLINED},
        State.UNDERWAY: CLOSING,
        State.DONE: set(),
        State.CANCELLED: set(),
        State.DECLINED: set(),
        State.MISSED: set(),
    }
    OPEN = (State.PLACED, State.ACCEPTED, State.ASSIGNED, State.UNDERWAY)

    key = models.CharField(max_length=70, unique=True)
    order = models.ForeignKey(CareOrder, models.PROTECT, related_name="work")
    line = models.OneToOneField("order.Line", models.PROTECT, related_name="work")
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="work")
    quantity = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    where = models.CharField(max_length=5, choices=OrderTerms.Where)
    address_sealed = models.BinaryField(null=True)
    hold = models.OneToOneField(Hold, models.PROTECT, related_name="work")
    booking = models.OneToOneField(Booking, models.PROTECT, null=True, related_name="work")
    appointment = models.OneToOneField(Appointment, models.PROTECT, null=True, related_name="work")
    caregiver = models.ForeignKey(Caregiver, models.PROTECT, null=True, blank=True, related_name="work")
    state = models.CharField(max_length=9, choices=State, default=State.PLACED)
    changes = models.PositiveSmallIntegerField(default=0, help_text="how often the time was changed")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_for = models.CharField(
        max_length=40, blank=True, help_text="why it was cancelled, declined or missed"
    )

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="work_order_ends_after_start", condition=Q(ends_at__gt=F("starts_at"), quantity__gt=0)
            ),
            models.CheckConstraint(
                name="work_order_has_a_place_or_a_caregiver",
                condition=Q(booking=None, appointment__isnull=False)
                | Q(booking__isnull=False, appointment=None),
            ),
            models.CheckConstraint(
                name="work_order_closed_with_its_time",
                condition=Q(state__in=["placed", "accepted", "assigned", "underway"], closed_at=None)
                | Q(state__in=["done", "cancelled", "declined", "missed"], closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="work_order_assigned_to_somebody",
                condition=~Q(state__in=["assigned", "underway"]) | Q(caregiver__isnull=False),
                violation_error_message=_("Say who is sent."),
            ),
            models.CheckConstraint(
                name="work_order_declined_with_its_reason",
                condition=~Q(state="declined") | ~Q(closed_for=""),
                violation_error_message=_("Say why it is declined."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["ends_at"],
                name="work_order_open",
                condition=Q(state__in=["placed", "accepted", "assigned", "underway"]),
            ),
            models.Index(fields=["offer", "starts_at"], name="work_order_of_offer"),
            models.Index(fields=["starts_at"], name="work_order_missed", condition=Q(state="missed")),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    def address(self) -> str:
        """Where a caregiver goes; empty for what is had at the place."""
        if self.address_sealed is None:
            return ""
        return sealing.open_sealed(self.address_sealed, field="address", row=self.key)


class StandingOrder(models.Model):
    """The same service at the same time on these weekdays, ordered nightly until it is stopped."""

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="standing_orders")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="standing_orders"
    )
    delegation = models.ForeignKey(Delegation, models.PROTECT, null=True, related_name="standing_orders")
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="standing_orders")
    weekdays = ArrayField(models.PositiveSmallIntegerField(), help_text="0 is Monday")
    clock = models.TimeField(help_text="when it begins")
    quantity = models.PositiveSmallIntegerField(default=1)
    address_sealed = models.BinaryField(null=True, help_text="bound to the elder's code")
    starts_on = models.DateField()
    asked_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="standing_order_says_which_days", condition=Q(weekdays__len__gt=0, quantity__gt=0)
            ),
            models.UniqueConstraint(
                name="standing_order_once",
                fields=["elder", "offer", "clock"],
                condition=Q(stopped_at=None),
                violation_error_message=_("This order stands already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.elder_id} {self.offer_id} {self.clock:%H:%M}"


class StandingDay(models.Model):
    """What came of a standing order for one day: an order, or a refusal that the elder was told of."""

    standing = models.ForeignKey(StandingOrder, models.PROTECT, related_name="days")
    on = models.DateField()
    order = models.OneToOneField(CareOrder, models.PROTECT, null=True, related_name="standing_day")
    refusal = models.CharField(max_length=40, blank=True)
    tried_at = models.DateTimeField()

    class Meta:
        ordering = ["on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["standing", "on"], name="standing_day_once"),
            models.CheckConstraint(
                name="standing_day_has_one_outcome",
                condition=Q(order=None) & ~Q(refusal="") | Q(order__isnull=False, refusal=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.standing_id} {self.on}"
