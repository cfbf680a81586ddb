"""Delivered services paid in part by vouchers, what each earns for a lease, and reversals."""

import re

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ledger.models import Entry
from providers.models import Lease, Service
from vouchers.elders.models import Elder
from vouchers.wallets.models import Hold


class RedemptionQuerySet(models.QuerySet):
    def by_number(self, number: str) -> "RedemptionQuerySet":
        """The redemption with this number (RD-000000123), or none."""
        found = re.fullmatch(r"RD-(\d{9,18})", number)
        return self.filter(id=int(found[1])) if found else self.none()


class Redemption(models.Model):
    """One delivered service. Written once; only `reversed_on` is set later, by its reversal.

    Amounts are yuan for the whole quantity: list_price = government + concession + charity + vouchers
    + self_pay. `happened_at` is when it was served, `recorded_at` when the program learnt of it.
    """

    class Channel(models.TextChoices):
        QR = "qr", _("code scanned")
        PIN = "pin", _("PIN")
        PAPER = "paper", _("paper")
        HOTLINE = "hotline", _("hotline")
        OFFLINE = "offline", _("without network")

    key_scope = models.CharField(max_length=24, help_text="whose key it is: files, or a terminal")
    key = models.CharField(max_length=80)
    request = models.BinaryField(help_text="SHA-256 of the request as parsed")
    happened_at = models.DateTimeField()
    service_on = models.DateField(help_text="day of happened_at in Asia/Shanghai")
    recorded_at = models.DateTimeField()
    lease = models.ForeignKey(Lease, models.PROTECT, related_name="redemptions", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="redemptions", db_index=False)
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="redemptions", db_index=False)
    quantity = models.PositiveSmallIntegerField()
    channel = models.CharField(max_length=8, choices=Channel, blank=True)
    list_price = models.DecimalField(max_digits=12, decimal_places=2)
    government = models.DecimalField(max_digits=12, decimal_places=2)
    concession = models.DecimalField(max_digits=12, decimal_places=2)
    charity = models.DecimalField(max_digits=12, decimal_places=2)
    vouchers = models.DecimalField(max_digits=12, decimal_places=2)
    self_pay = models.DecimalField(max_digits=12, decimal_places=2)
    hold = models.OneToOneField(Hold, models.PROTECT, null=True, related_name="redemption")
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="redemptions", db_index=False)
    by = models.CharField(max_length=150)
    reversed_on = models.DateField(null=True, blank=True)

    objects = RedemptionQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["key_scope", "key"], name="redemption_key_once"),
            models.CheckConstraint(
                name="redemption_parts_add_up",
                condition=Q(
                    list_price=F("government")
                    + F("concession")
                    + F("charity")
                    + F("vouchers")
                    + F("self_pay")
                ),
                violation_error_message=_("The parts of a price add up to the list price."),
            ),
            models.CheckConstraint(
                name="redemption_parts_not_negative",
                condition=Q(
                    quantity__gt=0,
                    government__gte=0,
                    concession__gte=0,
                    charity__gte=0,
                    vouchers__gte=0,
                    self_pay__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="redemption_claims_something",
                condition=Q(government__gt=0) | Q(charity__gt=0) | Q(vouchers__gt=0),
                violation_error_message=_("A redemption claims vouchers, government part or charity part."),
            ),
        ]
        indexes = [
            models.Index(fields=["elder", "service_on"], name="redemption_of_elder"),
            models.Index(fields=["lease", "service_on"], name="redemption_of_lease"),
            # Finds a month among years for next to nothing: rows come nearly in order of their days.
            BrinIndex(
                fields=["service_on"], name="redemption_of_month", autosummarize=True, pages_per_range=32
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"RD-{self.id:09d}"


class Claim(models.Model):
    """What one redemption earns for one lease: the value of that lease's offset vouchers in it.

    It stands on `statement` once that is approved; reversed afterwards, `taken_back` is the later
    statement that took it back. Standing, holding back and reversal are judged here (rules.md section 7).
    """

    pk = models.CompositePrimaryKey("redemption_id", "lease_id")
    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="claims", db_index=False)
    lease = models.ForeignKey(Lease, models.PROTECT, related_name="claims", db_index=False)
    service_on = models.DateField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reversed_on = models.DateField(null=True, blank=True)
    statement = models.ForeignKey(
        "vouchers.Statement", models.PROTECT, null=True, related_name="claims", db_index=False
    )
    taken_back = models.ForeignKey(
        "vouchers.Statement", models.PROTECT, null=True, related_name="claims_taken_back", db_index=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(name="claim_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="claim_taken_back_only_after_standing",
                condition=Q(taken_back=None) | Q(statement__isnull=False, reversed_on__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease", "service_on"],
                name="claim_on_no_statement",
                condition=Q(statement=None, reversed_on=None),
            ),
            models.Index(
                fields=["lease", "service_on"],
                name="claim_to_take_back",
                condition=Q(statement__isnull=False, reversed_on__isnull=False, taken_back=None),
            ),
            models.Index(
                fields=["statement"], name="claim_of_statement", condition=Q(statement__isnull=False)
            ),
            models.Index(
                fields=["taken_back"], name="claim_taken_back_by", condition=Q(taken_back__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.redemption_id} {self.lease_id}"


class Reversal(models.Model):
    """Whole redemptions only, once. The redemption's row and this one are both kept."""

    append_only = True

    redemption = models.OneToOneField(Redemption, models.PROTECT, related_name="reversal")
    reversed_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=500)
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="reversals", db_index=False)

    def __str__(self) -> str:
        return f"{self.redemption_id}"
