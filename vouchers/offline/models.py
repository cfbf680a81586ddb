"""What was served without a network: each serving once, paid or, where others had spent the value, a case."""

import re

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models import Operator, Premises, Service
from vouchers.elders.models import Elder
from vouchers.redemption.models import Redemption
from vouchers.terminals.models import TerminalKey


class ServingQuerySet(models.QuerySet):
    def open_cases(self) -> "ServingQuerySet":
        """Those that wait for the bureau."""
        return self.filter(decision="").exclude(code="")

    def by_number(self, number: str) -> "ServingQuerySet":
        """The serving with this number (OS-000000007), or none."""
        found = re.fullmatch(r"OS-(\d{9,18})", number)
        return self.filter(id=int(found[1])) if found else self.none()


class Serving(models.Model):
    """One serving that a terminal took without a network and told of later.

    Paid, `redemption` says by which. Where it was not, or less than promised, `code` says why, `unpaid` how much,
    and `loser` who bears that until the bureau decides: the operator that served. `rival` is the redemption that
    had spent the value before, where there is one. `amount` is the elder's price, in yuan; `promised` is what
    the terminal told the elder that vouchers would pay, where it says so.
    """

    class Decision(models.TextChoices):
        PAID = "paid", _("paid after all")
        BORNE = "borne", _("borne by the operator")

    key_scope = models.CharField(max_length=24)
    key = models.CharField(max_length=80)
    request = models.BinaryField(help_text="SHA-256 of the request as parsed")
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    premises = models.ForeignKey(Premises, models.PROTECT, related_name="+", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="+", db_index=False)
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="servings", db_index=False)
    quantity = models.PositiveSmallIntegerField()
    channel = models.CharField(max_length=8, choices=Redemption.Channel)
    paper = models.BooleanField(help_text="by a card: the lower cap")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    promised = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    unpaid = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    redemption = models.OneToOneField(Redemption, models.PROTECT, null=True, related_name="serving")
    code = models.CharField(max_length=24, blank=True)
    loser = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+")
    rival = models.ForeignKey(Redemption, models.PROTECT, null=True, related_name="+", db_index=False)
    decision = models.CharField(max_length=5, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=500, blank=True)

    objects = ServingQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["key_scope", "key"], name="serving_key_once"),
            models.CheckConstraint(
                name="serving_is_paid_or_a_case",
                condition=Q(redemption__isnull=False) | ~Q(code=""),
                violation_error_message=_("What was served is paid, or a case for the bureau."),
            ),
            models.CheckConstraint(
                name="serving_case_names_its_loser",
                condition=Q(code__in=["", "no_lease"]) | Q(loser__isnull=False),
                violation_error_message=_("A case names who bears it."),
            ),
            models.CheckConstraint(
                name="serving_decided_by_someone_at_some_time",
                condition=Q(decision="", decided_at=None) | (~Q(decision="") & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="serving_amounts_not_negative",
                condition=Q(quantity__gt=0, amount__gte=0, unpaid__gte=0),
            ),
        ]
        indexes = [
            models.Index(fields=["elder", "happened_at"], name="serving_of_elder"),
            models.Index(fields=["key_scope", "happened_at"], name="serving_of_terminal"),
            models.Index(fields=["id"], name="serving_open_case", condition=Q(decision="") & ~Q(code="")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"OS-{self.pk:09d}"


class SignedRecord(models.Model):
    """What a terminal signed of one serving, and whether that was so: evidence, as it came, beside the serving or the
    redemption that its key had made before.

    `text` bears neither PIN nor code of the elder. Unsigned, it has no number; `signing.py` says what is signed.
    """

    class Verdict(models.TextChoices):
        GOOD = "good", _("signed by the tablet")
        WRONG = "wrong", _("the signature is wrong")
        MISSING = "missing", _("not signed")

    signer = models.ForeignKey(TerminalKey, models.PROTECT, related_name="records", db_index=False)
    key = models.CharField(max_length=80)
    verdict = models.CharField(max_length=7, choices=Verdict)
    number = models.BigIntegerField(null=True)
    previous = models.CharField(max_length=64, blank=True)
    text = models.TextField(blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the text")
    value = models.BinaryField(help_text="the signature")
    serving = models.OneToOneField(Serving, models.PROTECT, null=True, related_name="signed")
    redemption = models.ForeignKey(Redemption, models.PROTECT, null=True, related_name="+", db_index=False)
    recorded_at = models.DateTimeField()

    append_only = True

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["signer", "key"], name="signed_record_once_for_a_key"),
            models.CheckConstraint(
                name="signed_record_belongs_to_what_was_served",
                condition=Q(serving__isnull=False) | Q(redemption__isnull=False),
            ),
            models.CheckConstraint(
                name="signed_record_unsigned_is_empty",
                condition=Q(verdict="missing", number=None, text="")
                | (~Q(verdict="missing") & Q(number__gte=1) & ~Q(text="")),
            ),
        ]
        indexes = [
            models.Index(fields=["signer", "number"], name="signed_record_of_a_terminal"),
            models.Index(fields=["recorded_at"], name="signed_record_told"),
        ]

    def __str__(self) -> str:
        return f"{self.signer_id} {self.number}"
