"""The journal: entries made of transfers, never changed, only reversed.

Every row here is written once. The database refuses UPDATE, DELETE and TRUNCATE for whoever asks,
and entries dated in a locked month (migration 0002).
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Account(models.Model):
    """One account of the chart; its name is its Beancount name (ledger/chart.py)."""

    append_only = True

    name = models.CharField(max_length=80, unique=True)
    commodity = models.CharField(max_length=3, choices=[("CNY", "CNY"), ("VCY", "VCY")])

    class Meta:
        constraints = [
            # What the composite foreign keys of Transfer point at.
            models.UniqueConstraint(fields=["id", "commodity"], name="account_commodity"),
        ]

    def __str__(self) -> str:
        return self.name


class Entry(models.Model):
    """One accounting fact. `key` is made by the caller: posting twice under one key is posting once.

    `dated_on` is the day in the books, `recorded_at` when the program learnt of it.
    `link` is the number of the document it belongs to (a redemption's, a statement's), if any.
    """

    append_only = True

    key = models.CharField(max_length=80)
    kind = models.CharField(max_length=24)
    dated_on = models.DateField(db_index=True)
    recorded_at = models.DateTimeField()
    link = models.CharField(max_length=40, blank=True)
    reverses = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by", db_index=False
    )

    class Meta:
        verbose_name_plural = "entries"
        constraints = [models.UniqueConstraint(fields=["key"], name="entry_key_once")]
        indexes = [
            models.Index(fields=["reverses"], name="entry_that_reverses", condition=Q(reverses__isnull=False))
        ]

    def __str__(self) -> str:
        return self.key


class Transfer(models.Model):
    """`amount` of one commodity from the debited to the credited account: balanced by construction.

    The commodity of both accounts is held equal to the transfer's own by composite foreign keys
    (migration 0002), so CNY and VCY cannot meet.
    """

    append_only = True

    pk = models.CompositePrimaryKey("entry_id", "line")
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="transfers", db_index=False)
    line = models.PositiveSmallIntegerField()
    debit = models.ForeignKey(
        Account, models.PROTECT, related_name="debits", db_constraint=False, db_index=False
    )
    credit = models.ForeignKey(
        Account, models.PROTECT, related_name="credits", db_constraint=False, db_index=False
    )
    commodity = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="transfer_amount_positive",
                condition=Q(amount__gt=0),
                violation_error_message=_("A transfer moves more than zero."),
            ),
            models.CheckConstraint(
                name="transfer_two_accounts",
                condition=~Q(debit=F("credit")),
                violation_error_message=_("A transfer needs two accounts."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}.{self.line}"


class Period(models.Model):
    """A locked month (its first day). Nothing is ever dated in or before the last of these again."""

    append_only = True

    month = models.DateField(primary_key=True)
    locked_at = models.DateTimeField()
    locked_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
