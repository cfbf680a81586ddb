"""Vouchers, what an order set aside of them, and every change of what remains."""

import re
from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ledger.models import Entry
from providers.models import Premises, Service
from vouchers.elders.models import Elder
from vouchers.programmes.models import IssueRun, Programme


class VoucherQuerySet(models.QuerySet):
    def by_serial(self, serial: str) -> "VoucherQuerySet":
        """The voucher with this serial (PG01-000000123), or none."""
        found = re.fullmatch(r"([A-Z][A-Z0-9]{1,11})-(\d{9,18})", serial)
        if not found:
            return self.none()
        return self.filter(programme__code=found[1], id=int(found[2]))

    def left_of(self, elder: Elder, *, today: date) -> "VoucherQuerySet":
        """What an elder can spend today or later, what ends first first; what orders hold too."""
        open_ = self.filter(elder=elder, expired_on=None, voided_on=None, valid_until__gte=today)
        return open_.exclude(remaining=0, held=0).order_by("valid_until", "programme__code", "id")


class Voucher(models.Model):
    """One elder's right under a programme. `remaining` is free to spend, `held` is set aside by orders.

    Its history is: issued with `face_value`, then its movements. `expired_on` is the day of the expiry
    run (or reversal) that closed it, `voided_on` the day of the death or fraud that did.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="vouchers", db_index=False)
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="vouchers", db_index=False)
    run = models.ForeignKey(IssueRun, models.PROTECT, related_name="voucher_set", db_index=False)
    ordinal = models.PositiveSmallIntegerField(help_text="1 .. per_elder")
    face_value = models.DecimalField(max_digits=10, decimal_places=2)
    remaining = models.DecimalField(max_digits=10, decimal_places=2)
    held = models.DecimalField(max_digits=10, decimal_places=2, default=0, db_default=0)
    valid_from = models.DateField()
    valid_until = models.DateField()
    expired_on = models.DateField(null=True, blank=True)
    voided_on = models.DateField(null=True, blank=True)

    objects = VoucherQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["elder", "programme", "valid_from", "ordinal"], name="voucher_issued_once"
            ),
            models.CheckConstraint(
                name="voucher_never_below_zero_or_above_face",
                condition=Q(remaining__gte=0, held__gte=0) & Q(face_value__gte=F("remaining") + F("held")),
                violation_error_message=_("A voucher holds between zero and its face value."),
            ),
            models.CheckConstraint(
                name="closed_voucher_is_empty",
                condition=Q(remaining=0) | Q(expired_on=None, voided_on=None),
                violation_error_message=_("An expired or voided voucher holds nothing."),
            ),
        ]
        indexes = [
            # Neither column changes when a voucher is spent: spending stays a HOT update.
            models.Index(fields=["elder"], name="voucher_open_of_elder", condition=Q(expired_on=None)),
            models.Index(fields=["valid_until"], name="voucher_open_until", condition=Q(expired_on=None)),
        ]

    def __str__(self) -> str:
        return self.serial

    @property
    def serial(self) -> str:
        return f"{self.programme.code}-{self.id:09d}"


class Hold(models.Model):
    """An order not yet delivered: the value it set aside and the serving it takes from the daily limit."""

    class State(models.TextChoices):
        OPEN = "open", _("set aside")
        DELIVERED = "delivered", _("delivered")
        RELEASED = "released", _("released")

    MOVES = {
        State.OPEN: {State.DELIVERED, State.RELEASED},
        State.DELIVERED: set(),
        State.RELEASED: set(),
    }

    key = models.CharField(max_length=80, unique=True)
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="holds", db_index=False)
    premises = models.ForeignKey(Premises, models.PROTECT, related_name="+", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="+", db_index=False)
    quantity = models.PositiveSmallIntegerField()
    service_on = models.DateField()
    placed_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.CheckConstraint(name="hold_quantity_positive", condition=Q(quantity__gt=0))]
        indexes = [
            models.Index(fields=["elder", "service_on"], name="hold_open_of_elder", condition=Q(state="open"))
        ]

    def __str__(self) -> str:
        return self.key


class HoldLine(models.Model):
    """What one hold set aside of one voucher when it was placed."""

    append_only = True

    pk = models.CompositePrimaryKey("hold_id", "voucher_id")
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="lines", db_index=False)
    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="hold_lines")
    amount = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        constraints = [models.CheckConstraint(name="hold_line_positive", condition=Q(amount__gt=0))]

    def __str__(self) -> str:
        return f"{self.hold_id} {self.voucher_id}"


class Movement(models.Model):
    """One change of one voucher. `amount` > 0; the kind says between which of its pockets it went."""

    append_only = True

    class Kind(models.TextChoices):
        REDEEM = "redeem", _("spent")  # remaining → redeemed
        REDEEM_HELD = "redeem_held", _("spent from hold")  # held → redeemed
        GIVE_BACK = "give_back", _("given back")  # redeemed → remaining
        HOLD = "hold", _("set aside")  # remaining → held
        RELEASE = "release", _("released")  # held → remaining
        EXPIRE = "expire", _("expired")  # remaining → expired
        VOID = "void", _("voided")  # remaining → voided
        UNVOID = "unvoid", _("void undone")  # voided → remaining

    SPENDING = (Kind.REDEEM, Kind.REDEEM_HELD)

    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=11, choices=Kind)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="movements", db_index=False)
    redemption = models.ForeignKey(
        "vouchers.Redemption", models.PROTECT, null=True, related_name="movements", db_index=False
    )
    hold = models.ForeignKey(Hold, models.PROTECT, null=True, related_name="movements", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="movement_amount_positive", condition=Q(amount__gt=0)),
        ]
        indexes = [
            models.Index(
                fields=["redemption"], name="movement_of_redemption", condition=Q(redemption__isnull=False)
            ),
            models.Index(fields=["hold"], name="movement_of_hold", condition=Q(hold__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
