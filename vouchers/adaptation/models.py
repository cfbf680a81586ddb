"""A project, its plans line by line, its inspections, its photos."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from providers.adaptation.items import ITEMS, Item
from providers.models import Operator, Premises, Price, Service
from vouchers.adaptation.terms import Parts
from vouchers.elders import sealing
from vouchers.elders.models import Elder
from vouchers.photos.models import Photo
from vouchers.wallets.models import Hold


class Project(models.Model):
    """One home made safer. A household has one, once: those that were cancelled do not count.

    `household` is the elder's household on the register, or the elder alone. The address is sealed, bound to `key`.
    Who did what is kept here by username, so that the database can say that a third person accepted it.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        ASSESSED = "assessed", _("home looked at")
        PLANNED = "planned", _("waits for the family's yes")
        AGREED = "agreed", _("agreed")
        WORKS = "works", _("works under way")
        DONE = "done", _("waits for acceptance")
        ACCEPTED = "accepted", pgettext_lazy("of works", "accepted")
        CANCELLED = "cancelled", _("cancelled")

    MOVES = {
        State.REQUESTED: {State.ASSESSED, State.CANCELLED},
        State.ASSESSED: {State.PLANNED, State.CANCELLED},
        State.PLANNED: {State.PLANNED, State.ASSESSED, State.AGREED, State.CANCELLED},
        State.AGREED: {State.WORKS, State.CANCELLED},
        State.WORKS: {State.DONE, State.CANCELLED},
        State.DONE: {State.WORKS, State.ACCEPTED, State.CANCELLED},
        State.ACCEPTED: set(),
        State.CANCELLED: set(),
    }
    OPEN = tuple(state for state, moves in MOVES.items() if moves)
    ENDED = tuple(state for state, moves in MOVES.items() if not moves)
    BEFORE_WORKS = (State.REQUESTED, State.ASSESSED, State.PLANNED, State.AGREED)

    key = models.UUIDField(unique=True)
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="adaptations")
    household = models.CharField(max_length=60)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="adaptations")
    premises = models.ForeignKey(Premises, models.PROTECT, related_name="adaptations")
    wish = models.CharField(
        max_length=300, blank=True, help_text="what is hard at home, in the family's words"
    )
    address_sealed = models.BinaryField()
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=150)
    visited_on = models.DateField(null=True, blank=True)
    assessor = models.CharField(max_length=60, blank=True, help_text="who looked at the home")
    findings = models.CharField(max_length=1000, blank=True)
    assessed_by = models.CharField(max_length=150, blank=True)
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.CharField(max_length=150, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True, help_text="the latest time; the service dates")
    done_by = models.CharField(max_length=150, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.CharField(max_length=150, blank=True)
    warranty_until = models.DateField(null=True, blank=True, help_text="last day")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=150, blank=True)
    cancelled_for = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="adaptation_once_a_household",
                fields=["household"],
                condition=~Q(state="cancelled"),
                violation_error_message=_("This household has a home adaptation already."),
            ),
            models.CheckConstraint(
                name="adaptation_accepted_by_a_third_person",
                condition=Q(accepted_by="")
                | ~Q(accepted_by__in=[F("requested_by"), F("assessed_by"), F("agreed_by"), F("done_by")]),
                violation_error_message=_("Works are accepted by somebody who had no part in them."),
            ),
            models.CheckConstraint(
                name="adaptation_accepted_with_date_and_warranty",
                condition=Q(state="accepted", accepted_at__isnull=False, warranty_until__isnull=False)
                & ~Q(accepted_by="")
                | ~Q(state="accepted") & Q(accepted_at=None, accepted_by="", warranty_until=None),
            ),
            models.CheckConstraint(
                name="adaptation_agreed_before_works",
                condition=~Q(state__in=["agreed", "works", "done", "accepted"])
                | Q(agreed_at__isnull=False) & ~Q(agreed_by=""),
                violation_error_message=_("Works begin once the family has agreed."),
            ),
            models.CheckConstraint(
                name="adaptation_cancelled_with_its_time",
                condition=Q(state="cancelled", cancelled_at__isnull=False)
                | ~Q(state="cancelled") & Q(cancelled_at=None),
            ),
        ]
        indexes = [
            models.Index(fields=["operator", "state"], name="adaptation_of_operator"),
            models.Index(fields=["state"], name="adaptation_waiting", condition=Q(state="done")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"AD-{self.pk:06d}"

    def address(self) -> str:
        """Empty once the elder was erased."""
        if not self.address_sealed:
            return ""
        return sealing.open_sealed(self.address_sealed, field="address", row=str(self.key))

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class Plan(models.Model):
    """What is to be done, each line a quote; the family says yes or no to the whole of it. Never changed: another
    plan takes its place."""

    class Answer(models.TextChoices):
        AGREED = "agreed", _("agreed")
        DECLINED = "declined", pgettext_lazy("of a plan", "declined")
        REPLACED = "replaced", _("replaced by another plan")

    project = models.ForeignKey(Project, models.PROTECT, related_name="plans")
    ordinal = models.PositiveSmallIntegerField()
    due_on = models.DateField(help_text="the works are done by then; vouchers are chosen for that day")
    warranty_months = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    answer = models.CharField(max_length=8, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["ordinal"]
        constraints = [
            models.UniqueConstraint(name="adaptation_plan_once", fields=["project", "ordinal"]),
            models.UniqueConstraint(
                name="adaptation_plan_one_at_a_time", fields=["project"], condition=Q(answer="")
            ),
            models.UniqueConstraint(
                name="adaptation_plan_one_agreed", fields=["project"], condition=Q(answer="agreed")
            ),
            models.CheckConstraint(
                name="adaptation_plan_answered_at_some_time",
                condition=Q(answer="", answered_at=None) | ~Q(answer="") & Q(answered_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} {self.ordinal}"


class PlanLine(models.Model):
    """One item: how many, by which service, at which price row, and who pays which part of it, in yuan.

    `own`: the family pays it wholly, at the list price less the operator's concession; no voucher is touched.
    """

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="lines")
    code = models.CharField(max_length=5, help_text="of the item")
    service = models.ForeignKey(Service, models.PROTECT, related_name="+")
    price = models.ForeignKey(Price, models.PROTECT, related_name="+")
    quantity = models.PositiveSmallIntegerField()
    own = models.BooleanField(default=False)
    list_price = models.DecimalField(max_digits=12, decimal_places=2)
    government = models.DecimalField(max_digits=12, decimal_places=2)
    concession = models.DecimalField(max_digits=12, decimal_places=2)
    charity = models.DecimalField(max_digits=12, decimal_places=2)
    vouchers = models.DecimalField(max_digits=12, decimal_places=2)
    self_pay = models.DecimalField(max_digits=12, decimal_places=2)
    hold = models.OneToOneField(Hold, models.PROTECT, null=True, related_name="adaptation")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                name="adaptation_item_once_a_plan",
                fields=["plan", "code"],
                violation_error_message=_("An item stands once in a plan."),
            ),
            models.CheckConstraint(
                name="adaptation_line_of_a_listed_item", condition=Q(code__in=sorted(ITEMS))
            ),
            models.CheckConstraint(
                name="adaptation_line_parts_add_up",
                condition=Q(
                    quantity__gt=0,
                    list_price=F("government")
                    + F("concession")
                    + F("charity")
                    + F("vouchers")
                    + F("self_pay"),
                ),
            ),
            models.CheckConstraint(
                name="adaptation_own_line_takes_nothing",
                condition=Q(own=False) | Q(government=0, charity=0, vouchers=0, hold=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.code}"

    @property
    def item(self) -> Item:
        return ITEMS[self.code]

    @property
    def parts(self) -> Parts:
        return Parts(*(getattr(self, part) for part in Parts._fields))


class Inspection(models.Model):
    """A third person looked at the works: every line was there, or these were missing or wrong."""

    append_only = True

    project = models.ForeignKey(Project, models.PROTECT, related_name="inspections")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    missing = models.JSONField(default=list, help_text="codes of items that were missing or wrong")
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.project_id} {self.at}"

    @property
    def missing_items(self) -> list[Item]:
        return [ITEMS[code] for code in self.missing]


class ProjectPhoto(models.Model):
    append_only = True

    class Shows(models.TextChoices):
        BEFORE = "before", _("before")
        AFTER = "after", _("after")

    project = models.ForeignKey(Project, models.PROTECT, related_name="photos")
    photo = models.OneToOneField(Photo, models.PROTECT, related_name="of_adaptation")
    shows = models.CharField(max_length=6, choices=Shows)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.project_id} {self.shows}"
