"""The parameters of the rules by date, how far redemptions were looked at, and sampled call-backs."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.models import Head
from providers.models import Operator
from vouchers.redemption.models import Redemption
from vouchers.settlement.models import ReviewCase


class RuleTerms(models.Model):
    """The parameters of one rule from `valid_from` (a first of month) on; what was set last counts.

    Without a row the defaults of vouchers/review/catalogue.py hold. `values` are whole numbers by name.
    """

    append_only = True

    rule = models.CharField(max_length=16, choices=ReviewCase.Reason)
    valid_from = models.DateField(help_text="first day of a month")
    active = models.BooleanField(default=True)
    holds = models.BooleanField()
    values = models.JSONField(default=dict)
    reason = models.CharField(max_length=500)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["rule", "valid_from", "id"]
        constraints = [
            models.CheckConstraint(
                name="rule_terms_from_a_first_of_month",
                condition=Q(valid_from__day=1),
                violation_error_message=_("Parameters change with a month."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.valid_from:%Y-%m}"


class ReviewProgress(models.Model):
    """One row: every redemption up to number `through` has been looked at by the rules.

    What was visible up to `seen` was looked at too, but lower numbers could still have been under way then; they
    cannot once the transaction `seen_in` and all before it have ended. See docs/decisions/0006-rules-look-behind.md.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    through = models.BigIntegerField(default=0)
    seen = models.BigIntegerField(default=0)
    seen_in = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="review_progress_single_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self.through)


class CallBackRound(models.Model):
    """One draw: of each operator's redemptions of a month as many as confidence and margin ask for.

    Drawn by `seed` among the redemptions numbered up to `up_to` and not reversed by then: with these the same
    draw can be made again. `head` is the published end of the seals' chain where the seed is its hash: then nobody
    chose whom it draws.
    """

    append_only = True

    month = models.DateField(help_text="first day of the month of service")
    confidence = models.DecimalField(max_digits=4, decimal_places=3)
    margin = models.DecimalField(max_digits=4, decimal_places=3)
    seed = models.CharField(max_length=64)
    head = models.ForeignKey(Head, models.PROTECT, null=True, blank=True, related_name="+")
    up_to = models.BigIntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["month", "seed"], name="one_round_a_month_and_seed"),
            models.CheckConstraint(
                name="round_confidence_and_margin_are_shares",
                condition=Q(confidence__gt=0.5, confidence__lt=1, margin__gt=0, margin__lt=0.5),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.seed}"


class RoundOperator(models.Model):
    """What one operator had in the month of a draw as the draw saw it: redemptions, and their voucher value in yuan."""

    append_only = True

    round = models.ForeignKey(CallBackRound, models.PROTECT, related_name="of_operators")
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="+")
    redemptions = models.PositiveIntegerField()
    value = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        ordering = ["round", "operator"]
        constraints = [models.UniqueConstraint(fields=["round", "operator"], name="round_once_an_operator")]

    def __str__(self) -> str:
        return f"{self.round_id} {self.operator_id}"


class CallBack(models.Model):
    """One elder to be asked about one redemption. Written when drawn; the result once, by telephone."""

    class Result(models.TextChoices):
        CONFIRMED = "confirmed", _("had the service")
        DENIED = "denied", _("did not have it")
        UNREACHED = "unreached", _("not reached")

    round = models.ForeignKey(CallBackRound, models.PROTECT, related_name="calls")
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="+")
    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="call_backs")
    result = models.CharField(max_length=9, choices=Result, blank=True)
    note = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["round", "operator", "id"]
        constraints = [
            models.UniqueConstraint(fields=["round", "redemption"], name="called_once_a_round"),
            models.CheckConstraint(
                name="call_result_by_someone_at_some_time",
                condition=Q(result="", at=None, by="") | (~Q(result="") & Q(at__isnull=False) & ~Q(by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round_id} {self.redemption_id}"
