"""Leases of public premises, their terms by date, the rent they owe and the bank lines that pay it."""

from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from ledger.models import BankLine, Entry
from providers.operators.models import Operator
from providers.premises.models import Premises


class DateRange(Func):
    """daterange(from, until, '[]'): both ends included; no end is open."""

    function = "daterange"
    output_field = DateRangeField()


BOTH_ENDS = RangeBoundary(inclusive_lower=True, inclusive_upper=True)


class Lease(models.Model):
    class Basis(models.TextChoices):
        RELIEF = "relief", _("relief of rent")
        PURCHASE = "purchase", _("purchase of services")

    code = models.CharField(max_length=12, unique=True)
    premises = models.ForeignKey(Premises, models.PROTECT, related_name="leases")
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="leases")
    starts_on = models.DateField()
    ends_on = models.DateField()
    basis = models.CharField(max_length=8, choices=Basis, blank=True)
    decision_no = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            ExclusionConstraint(
                name="leases_of_one_premises_never_overlap",
                expressions=[
                    (DateRange("starts_on", "ends_on", BOTH_ENDS), RangeOperators.OVERLAPS),
                    ("premises", RangeOperators.EQUAL),
                ],
                violation_error_message=_("Two leases of one premises overlap."),
            ),
            models.CheckConstraint(name="lease_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))),
        ]

    def __str__(self) -> str:
        return self.code


class LeaseTerms(models.Model):
    """The money terms of a lease from `starts_on`; a change of terms is a new row from a first of month."""

    lease = models.ForeignKey(Lease, models.PROTECT, related_name="terms")
    starts_on = models.DateField()
    monthly_rent = models.DecimalField(max_digits=14, decimal_places=2)
    rent_free_until = models.DateField(null=True, blank=True)
    offset_rate = models.DecimalField(max_digits=7, decimal_places=4)
    offset_cap = models.DecimalField(max_digits=7, decimal_places=4, help_text="share of the charge")
    carry_months = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["lease", "starts_on"]
        verbose_name_plural = "lease terms"
        constraints = [
            models.UniqueConstraint(fields=["lease", "starts_on"], name="lease_terms_once"),
            models.CheckConstraint(
                name="lease_terms_not_negative",
                condition=Q(monthly_rent__gte=0, offset_rate__gte=0, offset_cap__gte=0, offset_cap__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lease} {self.starts_on}"


class RentCharge(models.Model):
    """What one approved statement left to be paid in cash for one lease and month."""

    append_only = True

    lease = models.ForeignKey(Lease, models.PROTECT, related_name="rent_charges")
    month = models.DateField()
    charge = models.DecimalField(max_digits=14, decimal_places=2)
    applied = models.DecimalField(max_digits=14, decimal_places=2)
    cash_due = models.DecimalField(max_digits=14, decimal_places=2)
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["lease", "month"]
        constraints = [
            models.UniqueConstraint(fields=["lease", "month"], name="rent_charged_once"),
            models.CheckConstraint(
                name="rent_charge_adds_up", condition=Q(cash_due=F("charge") - F("applied"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lease} {self.month:%Y-%m}"


class Receipt(models.Model):
    """How one bank line stands: a rent receipt, a proposal for a person to confirm, or in suspense.

    While proposed or in suspense its money stands in Liabilities:Suspense:Receipts (incoming) or
    Assets:Suspense:Payments (outgoing). One that pays for several leases is split: its parts name them. One that
    went out is matched to payments (of payout lists, refunds, handings over), which name it. A bank's own fee or
    interest is booked as that; two lines of which one brought back what the other took are a pair (Returned).
    """

    class State(models.TextChoices):
        MATCHED = "matched", _("matched")
        SPLIT = "split", _("split over leases")
        PROPOSED = "proposed", _("proposed")
        SUSPENSE = "suspense", _("in suspense")
        FUND = "fund", _("given to the fund")
        PAID = "paid", _("matched to a payment")
        FEE = "fee", _("bank fee")
        INTEREST = "interest", _("bank interest")
        RETURNED = "returned", _("returned")

    MOVES = {
        State.PROPOSED: {State.MATCHED, State.SPLIT, State.SUSPENSE, State.FUND, State.RETURNED},
        State.SUSPENSE: {
            State.MATCHED,
            State.SPLIT,
            State.FUND,
            State.PAID,
            State.FEE,
            State.INTEREST,
            State.RETURNED,
        },
        State.MATCHED: {State.SUSPENSE},
        State.SPLIT: {State.SUSPENSE},
        State.FUND: {State.SUSPENSE},
        State.PAID: {State.SUSPENSE},
        State.FEE: {State.SUSPENSE},
        State.INTEREST: {State.SUSPENSE},
        State.RETURNED: {State.SUSPENSE},
    }
    WAITS = (State.PROPOSED, State.SUSPENSE)
    PAYS = (State.MATCHED, State.SPLIT)

    bank_line = models.OneToOneField(BankLine, models.PROTECT, related_name="receipt")
    state = models.CharField(max_length=8, choices=State)
    lease = models.ForeignKey(Lease, models.PROTECT, null=True, blank=True, related_name="receipts")
    month = models.DateField(null=True, blank=True, help_text="the due that a proposal would pay")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receipt_names_its_lease",
                condition=~Q(state__in=["matched", "proposed"]) | Q(lease__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bank_line_id} {self.state}"


class ReceiptPart(models.Model):
    """What a split receipt pays for one lease; the parts add up to the bank line."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="parts", db_index=False)
    lease = models.ForeignKey(Lease, models.PROTECT, related_name="receipt_parts")
    amount = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["receipt", "lease"]
        constraints = [
            models.UniqueConstraint(fields=["receipt", "lease"], name="receipt_part_once_a_lease"),
            models.CheckConstraint(name="receipt_part_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_id} {self.lease_id}"


class Returned(models.Model):
    """Two bank lines of one sum, one of which brought back what the other took, whichever came first."""

    came = models.OneToOneField(Receipt, models.PROTECT, related_name="brought_back")
    went = models.OneToOneField(Receipt, models.PROTECT, related_name="taken_back")

    class Meta:
        verbose_name_plural = "returned"
        constraints = [
            models.CheckConstraint(name="returned_by_another_line", condition=~Q(came=F("went"))),
        ]

    def __str__(self) -> str:
        return f"{self.went_id} {self.came_id}"


class Payment(models.Model):
    """What of one outgoing bank line (yuan) paid one document. The line's payments add up to it; a document's to
    its `paid`, which is the whole of it once it is paid: one transfer or several."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="%(class)ss", db_index=False)
    amount = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.receipt_id} {self.amount}"


class ReceiptDecision(models.Model):
    """What a person decided about one bank line, with the entry that it posted; the history of a receipt."""

    append_only = True

    class Action(models.TextChoices):
        CONFIRM = "confirm", _("proposal confirmed")
        DECLINE = "decline", _("proposal declined")
        MATCH = "match", _("matched by hand")
        SPLIT = "split", _("split over leases")
        RELEASE = "release", _("released again")
        DONATE = "donate", _("taken as a donation")
        PAY = "pay", _("matched to a payment")
        FEE = "fee", _("booked as a bank fee")
        INTEREST = "interest", _("booked as bank interest")
        RETURN = "return", _("paired with its return")

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="decisions")
    action = models.CharField(max_length=8, choices=Action)
    parts = models.JSONField(default=list, help_text="lease codes or numbers of payments, and yuan as text")
    reason = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    entry = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="receipt_decision")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.receipt_id} {self.action}"


class Refund(models.Model):
    """Cash that a lease paid too much and gets back after its end (rules.md sections 7 and 8).

    A clerk draws it up, another person approves it; it is paid when outgoing bank lines have paid the whole of it.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("waits for the bureau's approval")
        APPROVED = "approved", _("to be paid")
        PAID = "paid", _("paid")
        DROPPED = "dropped", _("dropped")

    MOVES = {
        State.DRAFT: {State.APPROVED, State.DROPPED},
        State.APPROVED: {State.PAID, State.DROPPED},
        State.PAID: {State.APPROVED},
        State.DROPPED: set(),
    }
    PENDING = (State.DRAFT, State.APPROVED, State.PAID)

    number = models.CharField(max_length=30, unique=True)
    lease = models.ForeignKey(Lease, models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    reason = models.CharField(max_length=200)
    drawn_by = models.CharField(max_length=150)
    drawn_at = models.DateTimeField()
    approved_by = models.CharField(max_length=150, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    paid = models.DecimalField(max_digits=16, decimal_places=2, default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="refund_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="refund_paid_in_full",
                condition=Q(state="paid", paid=F("amount"))
                | Q(state="approved", paid__gte=0, paid__lt=F("amount"))
                | Q(state__in=["draft", "dropped"], paid=0),
            ),
            models.CheckConstraint(
                name="refund_approved_by_another",
                condition=Q(state__in=["draft", "dropped"])
                | (Q(approved_at__isnull=False) & ~Q(approved_by="") & ~Q(approved_by=F("drawn_by"))),
                violation_error_message=_("Who drew up a refund does not approve it."),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def left(self) -> Decimal:
        """What of it no bank line has paid yet, yuan."""
        return self.amount - self.paid


class RefundPayment(Payment):
    refund = models.ForeignKey(Refund, models.PROTECT, related_name="payments")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["receipt", "refund"], name="refund_paid_once_a_line"),
            models.CheckConstraint(name="refund_payment_positive", condition=Q(amount__gt=0)),
        ]
