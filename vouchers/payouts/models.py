"""What one operator is paid for one month (拨付): government and charity parts, payout vouchers (rules.md section 8)."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.leases.models import Payment
from providers.models import Operator
from vouchers.approvals.models import Document, Taken
from vouchers.redemption.models import Redemption


class Payout(Document):
    """One operator, one month. `held_back` is the charity part that waits because the fund is overdrawn.

    total = government + charity + vouchers - reversed + carry_in; below zero nothing is paid and it goes on to the
    next list as carry_out. Its lines stand once it is approved; it is paid when bank lines have paid the whole of it.
    """

    # The figures in the order in which they are shown.
    FIGURES = (
        "government",
        "charity",
        "vouchers",
        "reversed",
        "carry_in",
        "total",
        "to_pay",
        "carry_out",
        "held_back",
    )

    number = models.CharField(max_length=30, unique=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="payouts")
    month = models.DateField(help_text="first day of the month")
    government = models.DecimalField(max_digits=14, decimal_places=2)
    charity = models.DecimalField(max_digits=14, decimal_places=2)
    vouchers = models.DecimalField(max_digits=14, decimal_places=2)
    reversed = models.DecimalField(max_digits=14, decimal_places=2)
    carry_in = models.DecimalField(max_digits=14, decimal_places=2)
    total = models.DecimalField(max_digits=14, decimal_places=2)
    to_pay = models.DecimalField(max_digits=14, decimal_places=2)
    carry_out = models.DecimalField(max_digits=14, decimal_places=2)
    held_back = models.DecimalField(max_digits=14, decimal_places=2)
    redemptions = models.PositiveIntegerField()
    under_review = models.PositiveIntegerField()
    payee = models.JSONField(default=dict, help_text="holder, number and bank, as the approvals saw them")
    paid = models.DecimalField(max_digits=14, decimal_places=2, default=0)

    class Meta:
        ordering = ["-month", "operator__code"]
        constraints = [
            models.UniqueConstraint(fields=["operator", "month"], name="one_payout_an_operator_and_month"),
            models.CheckConstraint(
                name="payout_adds_up",
                condition=Q(
                    total=F("government") + F("charity") + F("vouchers") - F("reversed") + F("carry_in")
                )
                & Q(total=F("to_pay") + F("carry_out"))
                & Q(to_pay__gte=0, carry_out__lte=0, carry_in__lte=0),
                violation_error_message=_("A payout list's figures add up."),
            ),
            models.CheckConstraint(
                name="payout_paid_once_approved",
                condition=Q(paid=0) | Q(state="approved", paid__gt=0, paid__lte=F("to_pay")),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def left(self) -> Decimal:
        """What of it no bank line has paid yet, yuan."""
        return self.to_pay - self.paid


class PayoutDrawing(models.Model):
    """The figures of a list each time they were drawn up differently, by their digest."""

    payout = models.ForeignKey(Payout, models.CASCADE, related_name="drawings")
    digest = models.CharField(max_length=64)
    figures = models.JSONField()
    drawn_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payout", "digest"], name="payout_drawing_once_a_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.payout_id} {self.digest[:12]}"


class PayoutApproval(Taken):
    """One step of a payout list."""

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="approvals")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payout", "round", "step"], name="each_payout_step_once"),
            models.UniqueConstraint(
                fields=["payout", "round", "by"],
                name="nobody_does_two_payout_steps",
                violation_error_message=_("Nobody may do two steps of one list."),
            ),
            models.CheckConstraint(
                name="payout_step_by_somebody", condition=Q(deemed=False, by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payout_id} {self.step}"


class PayoutLine(models.Model):
    """One part of one redemption on an approved list: paid, or taken back after a reversal."""

    append_only = True

    class Part(models.TextChoices):
        GOVERNMENT = "government", _("Government part")
        CHARITY = "charity", _("Charity part")
        VOUCHERS = "vouchers", _("Payout vouchers")

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="lines")
    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="payout_lines", db_index=False)
    part = models.CharField(max_length=10, choices=Part)
    taken_back = models.BooleanField(default=False)
    amount = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["redemption", "part", "taken_back"], name="paid_out_once_a_part"),
            models.CheckConstraint(name="payout_line_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.payout_id} {self.redemption_id} {self.part}"


class PayoutPayment(Payment):
    payout = models.ForeignKey(Payout, models.PROTECT, related_name="payments")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["receipt", "payout"], name="payout_paid_once_a_line"),
            models.CheckConstraint(name="payout_payment_positive", condition=Q(amount__gt=0)),
        ]
