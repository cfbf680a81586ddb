"""The month of a lease: its statement, the three approvals, and redemptions held back for review."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ledger.models import Entry
from providers.models import Lease
from vouchers.approvals.models import Document, Taken
from vouchers.redemption.models import Redemption


class Statement(Document):
    """One lease, one month (rules.md section 7, figure by figure)."""

    # The figures in the order of rules.md section 7; also the columns of the statements command.
    FIGURES = (
        "charge",
        "carry_in",
        "earned",
        "late",
        "reversed",
        "credit",
        "lapsed",
        "available",
        "cap",
        "applied",
        "carry_out",
        "cash_due",
    )

    lease = models.ForeignKey(Lease, models.PROTECT, related_name="statements")
    month = models.DateField(help_text="first day of the month")
    charge = models.DecimalField(max_digits=14, decimal_places=2)
    carry_in = models.DecimalField(max_digits=14, decimal_places=2)
    earned = models.DecimalField(max_digits=14, decimal_places=2)
    late = models.DecimalField(max_digits=14, decimal_places=2)
    reversed = models.DecimalField(max_digits=14, decimal_places=2)
    credit = models.DecimalField(max_digits=14, decimal_places=2)
    lapsed = models.DecimalField(max_digits=14, decimal_places=2)
    available = models.DecimalField(max_digits=14, decimal_places=2)
    cap = models.DecimalField(max_digits=14, decimal_places=2)
    applied = models.DecimalField(max_digits=14, decimal_places=2)
    carry_out = models.DecimalField(max_digits=14, decimal_places=2)
    cash_due = models.DecimalField(max_digits=14, decimal_places=2)
    redemptions = models.PositiveIntegerField()
    under_review = models.PositiveIntegerField()
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="statements")

    class Meta:
        ordering = ["month", "lease"]
        constraints = [
            models.UniqueConstraint(fields=["lease", "month"], name="one_statement_a_lease_and_month"),
            models.CheckConstraint(
                name="statement_adds_up",
                condition=Q(available=F("carry_in") + F("credit"))
                & Q(carry_out=F("available") - F("applied"))
                & Q(cash_due=F("charge") - F("applied")),
                violation_error_message=_("A statement's figures add up."),
            ),
            models.CheckConstraint(
                name="statement_applied_within_cap",
                condition=Q(applied__lte=F("cap")) & Q(applied__lte=F("available")),
                violation_error_message=_("A statement applies at most its cap and what is available."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lease.code} {self.month:%Y-%m}"


class Drawing(models.Model):
    """The figures of a statement each time they were drawn up differently, by their digest.

    What somebody looked at is found here by the digest that goes with the form, so that what changed since
    can be shown.
    """

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="drawings")
    digest = models.CharField(max_length=64)
    figures = models.JSONField(help_text="every figure by name: amounts as text, counts as numbers")
    drawn_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "digest"], name="drawing_once_a_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.digest[:12]}"


class Approval(Taken):
    """One step of a statement."""

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="approvals")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "round", "step"], name="each_step_once"),
            models.UniqueConstraint(
                fields=["statement", "round", "by"],
                name="nobody_does_two_steps",
                violation_error_message=_("Nobody may do two steps of one statement."),
            ),
            models.CheckConstraint(
                name="approval_by_somebody_or_silence",
                condition=Q(deemed=False, by__isnull=False)
                | Q(deemed=True, by__isnull=True, step="confirm", on_paper=False),
                violation_error_message=_("Only a confirmation comes about by silence."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.step}"


class Paper(models.Model):
    """A statement, or the certificate of its relief (抵租凭证), handed out on paper: once each, never changed.

    Anyone who has the paper can compare it with `content` on a public page, by its number and `code`.
    """

    append_only = True

    class Kind(models.TextChoices):
        STATEMENT = "statement", _("offset statement")
        CERTIFICATE = "certificate", _("certificate of rent relief")

    number = models.CharField(max_length=30, unique=True)
    code = models.CharField(max_length=12, help_text="random: numbers can be guessed, papers are not")
    kind = models.CharField(max_length=11, choices=Kind)
    statement = models.ForeignKey(Statement, models.PROTECT, related_name="papers")
    content = models.JSONField(help_text="what stands on the paper; nothing about any elder")
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["statement", "kind"], name="paper_once_a_kind")]

    def __str__(self) -> str:
        return self.number


class Objection(models.Model):
    """What an operator says is wrong with a statement that waits for its confirmation: with a figure, or with
    one redemption of it. While one is open, the statement cannot be confirmed.
    """

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", _("upheld")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="objections")
    figure = models.CharField(max_length=16, help_text="the figure of the statement that it is about")
    redemption = models.ForeignKey(
        Redemption, models.PROTECT, null=True, blank=True, related_name="objections", db_index=False
    )
    digest = models.CharField(max_length=64, help_text="of the figures objected to")
    text = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    answer = models.CharField(max_length=9, choices=Answer, blank=True)
    reply = models.CharField(max_length=500, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "figure", "redemption"],
                nulls_distinct=False,
                condition=Q(answer=""),
                name="one_open_objection_a_line",
            ),
            models.CheckConstraint(
                name="objection_answered_by_someone_at_some_time",
                condition=Q(answer="", answered_at=None, answered_by=None)
                | (~Q(answer="") & Q(answered_at__isnull=False, answered_by__isnull=False)),
            ),
            models.CheckConstraint(name="objection_says_something", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.figure}"


class ReviewCase(models.Model):
    """What a rule found about a redemption, or a death learnt late, until someone decides.

    Open and `holds`: the redemption is held back (rules.md sections 6 and 7). Open and not: it is only marked
    for someone to look at, and counts. `holds` is never taken back, only decided. `facts` are what the rule
    saw (vouchers/review/rules): codes, numbers and times, nothing that names a person.
    """

    class Reason(models.TextChoices):
        AFTER_DEATH = "after_death", _("dated on or after the elder's death")
        TOO_FAR = "too_far", _("two places too far apart")
        BURST = "burst", _("too many at one counter at once")
        CLOSED = "closed", _("outside opening hours")
        TOO_MUCH = "too_much", _("more meals than one can eat")
        LAST_HOUR = "last_hour", _("rush in the month's last hours")
        ONE_CASHIER = "one_cashier", _("always the same counter or cashier")
        KIN = "kin", _("staff of the operator, or a relative")
        CLAIMED_TWICE = "claimed_twice", _("offset and subsidy for one service")
        TOO_DEAR = "too_dear", _("dearer than the cash price")
        NO_EVIDENCE = "no_evidence", _("visit without evidence")
        TOO_FAST = "too_fast", _("faster than it can be served")
        DUPLICATE = "duplicate", _("the same service twice")
        ORDER_DIFFERS = "order_differs", _("more than was ordered")
        WRONG_MONTH = "wrong_month", _("another month than the order's")
        LATE = "late", _("reported late")
        DENIED = "denied", _("the elder says it did not take place")

    class Decision(models.TextChoices):
        RELEASED = "released", _("cleared")
        REJECTED = "rejected", _("rejected")
        REVERSED = "reversed", _("reversed meanwhile")
        LIFTED = "lifted", _("lifted")

    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="review_cases")
    reason = models.CharField(max_length=16, choices=Reason)
    holds = models.BooleanField(default=True, db_default=True)
    facts = models.JSONField(default=dict, db_default={})
    opened_at = models.DateTimeField()
    # Who held back what a rule had only marked, and why.
    held_at = models.DateTimeField(null=True, blank=True)
    held_by = models.CharField(max_length=150, blank=True, db_default="")
    held_for = models.CharField(max_length=500, blank=True, db_default="")
    decision = models.CharField(max_length=8, choices=Decision, blank=True, db_default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True, db_default="")
    note = models.CharField(max_length=500, blank=True, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["redemption", "reason"], name="one_open_case_a_reason", condition=Q(decision="")
            ),
            # What a rule found once and someone decided is not found again; a death can be learnt again.
            models.UniqueConstraint(
                fields=["redemption", "reason"], name="one_case_a_rule", condition=~Q(reason="after_death")
            ),
            models.CheckConstraint(
                name="review_decided_by_someone_at_some_time",
                condition=Q(decision="", decided_at=None) | (~Q(decision="") & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="review_held_by_someone_for_a_reason",
                condition=Q(held_at=None, held_by="", held_for="")
                | (Q(held_at__isnull=False, holds=True) & ~Q(held_by="") & ~Q(held_for="")),
            ),
        ]
        indexes = [
            models.Index(fields=["redemption"], name="review_held", condition=Q(decision="", holds=True)),
            models.Index(fields=["opened_at"], name="review_waits", condition=Q(decision="")),
        ]

    def __str__(self) -> str:
        return f"{self.redemption_id} {self.reason}"
