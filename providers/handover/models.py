"""Rent handed to the treasury or to the owner, kept apart by owner (rules.md section 8)."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.leases.models import Lease, Payment
from providers.premises.models import Premises


class Owner(models.Model):
    """An owner of premises under the code that its account bears: Assets:HandedOver:OW0001.

    `name` is as the register of premises writes it. Public revenue goes to the treasury, others' rent to them.
    """

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Premises.OwnerKind)

    PUBLIC = (Premises.OwnerKind.GOVERNMENT, Premises.OwnerKind.PUBLIC_INSTITUTION)

    class Meta:
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["name", "kind"], name="owner_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def to_treasury(self) -> bool:
        return self.kind in self.PUBLIC


class Handover(models.Model):
    """One sum of rent handed over, with its paper (缴款书); its lines say from which leases it came.

    A clerk draws it up, another person approves it; it is done when outgoing bank lines have paid the whole of it.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("waits for the bureau's approval")
        APPROVED = "approved", _("to be paid in")
        PAID = "paid", _("paid in")
        DROPPED = "dropped", _("dropped")

    MOVES = {
        State.DRAFT: {State.APPROVED, State.DROPPED},
        State.APPROVED: {State.PAID, State.DROPPED},
        State.PAID: {State.APPROVED},
        State.DROPPED: set(),
    }

    number = models.CharField(max_length=30, unique=True)
    code = models.CharField(max_length=12, help_text="random: numbers can be guessed, papers are not")
    owner = models.ForeignKey(Owner, models.PROTECT, related_name="handovers")
    until_on = models.DateField(help_text="the last bank day of what is handed over")
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    treasury_no = models.CharField(
        max_length=40, blank=True, help_text="the treasury's own number (缴款书号)"
    )
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    drawn_by = models.CharField(max_length=150)
    drawn_at = models.DateTimeField()
    approved_by = models.CharField(max_length=150, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    paid = models.DecimalField(max_digits=16, decimal_places=2, default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="handover_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="handover_paid_in_full",
                condition=Q(state="paid", paid=F("amount"))
                | Q(state="approved", paid__gte=0, paid__lt=F("amount"))
                | Q(state__in=["draft", "dropped"], paid=0),
            ),
            models.CheckConstraint(
                name="handover_approved_by_another",
                condition=Q(state__in=["draft", "dropped"])
                | (Q(approved_at__isnull=False) & ~Q(approved_by="") & ~Q(approved_by=F("drawn_by"))),
                violation_error_message=_("Who drew it up does not approve it."),
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(state="draft"), name="one_draft_handover_an_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def left(self) -> Decimal:
        """What of it no bank line has paid yet, yuan."""
        return self.amount - self.paid


class HandoverLine(models.Model):
    """What of one lease's rent goes with a handing over; less than zero where a refund or a release took back."""

    append_only = True

    handover = models.ForeignKey(Handover, models.PROTECT, related_name="lines")
    lease = models.ForeignKey(Lease, models.PROTECT, related_name="handover_lines")
    amount = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["handover", "lease"]
        constraints = [
            models.UniqueConstraint(fields=["handover", "lease"], name="handover_line_once_a_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.handover_id} {self.lease_id}"


class HandoverPayment(Payment):
    handover = models.ForeignKey(Handover, models.PROTECT, related_name="payments")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["receipt", "handover"], name="handover_paid_once_a_line"),
            models.CheckConstraint(name="handover_payment_positive", condition=Q(amount__gt=0)),
        ]
