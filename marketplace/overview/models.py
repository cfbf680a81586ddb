"""What was counted of all vouchers at one moment."""

from django.db import models


class Snapshot(models.Model):
    """`programmes`: rows of marketplace/overview/operations.py; `reach`: how many hold vouchers, and never used one.

    `places`: rows by the division in which elders live (code, and PLACE of operations.py).
    `last_entry` is the newest entry when it was counted: with nothing posted since, nothing is counted again.
    """

    taken_at = models.DateTimeField()
    today = models.DateField()
    last_entry = models.BigIntegerField()
    programmes = models.JSONField(default=list)
    reach = models.JSONField(default=dict)
    places = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.taken_at:%Y-%m-%d %H:%M}"
