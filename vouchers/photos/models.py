"""A photo: sealed, never changed, only emptied. Whose it is, the tables that refer to it say."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from vouchers.elders import sealing
from vouchers.photos.cleaning import blank


class Photo(models.Model):
    """What somebody's home looks like is nobody else's business: the picture is sealed, bound to `number`."""

    append_only = True
    emptied: ClassVar = ("sealed",)  # by erasure, and once its time is over

    number = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sealed = models.BinaryField()
    sha256 = models.CharField(max_length=64, help_text="of the picture as it is kept")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    kept_at = models.DateTimeField()
    by = models.CharField(max_length=150)

    class Meta:
        constraints = [
            models.CheckConstraint(name="photo_has_a_size", condition=Q(width__gt=0, height__gt=0)),
        ]

    def __str__(self) -> str:
        return str(self.number)

    def picture(self) -> bytes:
        """A JPEG; a blank one once the picture is gone."""
        if not self.sealed:
            return blank()
        return sealing.open_bytes(self.sealed, field="photo", row=str(self.number))
