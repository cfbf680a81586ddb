"""Lines of the bank's own files, kept as they came, and how each was posted."""

from django.db import models
from django.db.models import Q


class BankFile(models.Model):
    """One file that was imported, whatever lines of it were new."""

    append_only = True

    name = models.CharField(max_length=255)
    layout = models.CharField(max_length=24)
    sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.name


class BankMapping(models.Model):
    """Which heading of one account's files holds what: mapped once by a person (ledger/banking/mappings.py).

    Once a file was read by it, it stays as it is: its lines are known by all columns as it reads them.
    """

    account = models.CharField(max_length=40, help_text="the account whose lines these files hold")
    bank = models.CharField(max_length=60)
    headings = models.JSONField(help_text="every column of the file, in order")
    places = models.JSONField(help_text="what a line needs, and the heading that holds it")
    header_line = models.PositiveSmallIntegerField(default=1)
    mark = models.CharField(max_length=64, help_text="SHA-256 of the headings, whatever their order")
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["bank", "account", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "mark"], name="mapped_once_an_account"),
            models.CheckConstraint(name="mapping_header_line_from_one", condition=Q(header_line__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.bank} {self.account}"

    @property
    def layout_name(self) -> str:
        return f"mapped:{self.pk}"


class BankLine(models.Model):
    """A line is known by all its columns; the n-th equal line of a file is the n-th stored."""

    append_only = True

    file = models.ForeignKey(BankFile, models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField(help_text="line in that file")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 over all columns")
    occurrence = models.PositiveIntegerField(help_text="1 for the first line with this fingerprint")
    account = models.CharField(max_length=40)
    booked_at = models.DateTimeField(db_index=True)
    direction = models.CharField(max_length=3, choices=[("in", "in"), ("out", "out")])
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    counterparty = models.CharField(max_length=200, blank=True)
    counterparty_account = models.CharField(max_length=40, blank=True)
    summary = models.CharField(max_length=500, blank=True)
    purpose = models.CharField(max_length=500, blank=True)
    balance = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    columns = models.JSONField(help_text="every column as it stood in the file")
    entry = models.ForeignKey("ledger.Entry", models.PROTECT, related_name="bank_lines")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fingerprint", "occurrence"], name="bank_line_once"),
            models.CheckConstraint(name="bank_line_amount_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.booked_at:%Y-%m-%d} {self.direction} {self.amount}"
