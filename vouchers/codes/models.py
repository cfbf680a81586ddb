"""What identifies an elder at a counter: codes, PIN, and what of it was used or tried."""

from django.db import models
from django.db.models import Q

from vouchers.elders.models import Elder


class ElderCode(models.Model):
    """An elder's codes; made when the first is asked for. `card` is the number of the printed card that counts:
    a higher one makes all earlier cards worthless."""

    elder = models.OneToOneField(Elder, models.PROTECT, primary_key=True, related_name="codes")
    number = models.BigIntegerField(unique=True, help_text="opaque; stands in tokens")
    typed = models.CharField(max_length=12, unique=True, help_text="twelve digits, the last a check digit")
    card = models.PositiveIntegerField(default=1)
    pin_hash = models.BinaryField(null=True, help_text="salt and keyed slow hash")
    pin_set_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="elder_code_number_positive_card_from_1", condition=Q(number__gte=0, card__gte=1)
            ),
            models.CheckConstraint(
                name="elder_code_typed_is_twelve_digits", condition=Q(typed__regex=r"^[0-9]{12}$")
            ),
        ]

    def __str__(self) -> str:
        return str(self.elder_id)


class TokenUse(models.Model):
    """The first use of an elder's token of one window: from then on it serves this terminal alone."""

    code = models.ForeignKey(ElderCode, models.PROTECT, related_name="+", db_index=False)
    window = models.BigIntegerField(help_text="of 30 seconds, counted from 1970")
    terminal = models.CharField(max_length=64)
    used_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="token_of_a_window_serves_one_terminal", fields=["code", "window"])
        ]

    def __str__(self) -> str:
        return f"{self.code_id} {self.window}"


class PinTry(models.Model):
    """A PIN that was tried, counted until it has proved right."""

    code = models.ForeignKey(ElderCode, models.PROTECT, related_name="+")
    terminal = models.CharField(max_length=64)
    tried_at = models.DateTimeField(db_index=True)
    counts = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.code_id} {self.tried_at:%Y-%m-%d %H:%M}"


class RecordShare(models.Model):
    """An elder's list of one year, open to whoever has the code until the elder ends it or a day is over."""

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="record_shares")
    year = models.PositiveSmallIntegerField()
    code = models.CharField(
        max_length=22, unique=True, help_text="part of an address; nothing can be made of it"
    )
    shared_at = models.DateTimeField()
    lasts_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    opened = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_open_record_share_per_elder", fields=["elder"], condition=Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.elder_id} {self.year}"
