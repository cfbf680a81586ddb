"""A chain of hashes over journal and seal log: whoever changes what was sealed is found (ledger/seals/operations.py)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Link(models.Model):
    """One link of the chain: `content` is SHA-256 over what was sealed, `hash` over the link before and this one."""

    append_only = True

    class Kind(models.TextChoices):
        ENTRY = "entry", _("entry of the journal")
        USE = "use", _("use of the bureau's seal")

    number = models.BigIntegerField(primary_key=True, help_text="from 1, without a gap")
    kind = models.CharField(max_length=5, choices=Kind)
    ref = models.BigIntegerField(help_text="id of the entry, or of the use")
    content = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "ref"], name="sealed_once"),
            models.CheckConstraint(name="link_numbered_from_one", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.hash[:12]}"


class Head(models.Model):
    """The end of the chain as it was published: on the public page, on papers, in evidence packs."""

    append_only = True

    number = models.BigIntegerField(unique=True)
    hash = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number} {self.hash[:12]}"


class SealApproval(models.Model):
    """Somebody allows the bureau's seal to be put on a paper; another person then does it."""

    append_only = True

    paper = models.CharField(max_length=40, help_text="number of the paper")
    content = models.CharField(max_length=64, help_text="SHA-256 over what stands on the paper")
    purpose = models.CharField(max_length=200)
    copies = models.PositiveSmallIntegerField(default=1)
    approved_by = models.CharField(max_length=150)
    approved_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="seal_copies_positive", condition=Q(copies__gte=1))]

    def __str__(self) -> str:
        return f"{self.paper} {self.approved_by}"


class SealUse(models.Model):
    """The bureau's seal was put on a paper, by somebody else than who allowed it. Part of the chain."""

    append_only = True

    approval = models.OneToOneField(SealApproval, models.PROTECT, related_name="use")
    approved_by = models.CharField(max_length=150)
    sealed_by = models.CharField(max_length=150)
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="sealed_by_another",
                condition=~Q(approved_by=F("sealed_by")),
                violation_error_message=_("Who allowed the seal does not put it on the paper."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.approval_id} {self.sealed_by}"
