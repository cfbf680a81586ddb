"""Photos of premises: what public property looked like, and when that was seen."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models import Premises
from vouchers.models import Photo


class PremisesPhoto(models.Model):
    """A photo of premises; newer ones stand before it. Whom it was kept by, the photo says.

    A wrong one is withdrawn: nobody is shown it any more, that it was there stays.
    """

    append_only = True
    describes_register = True

    premises = models.ForeignKey(Premises, models.PROTECT, related_name="photos")
    photo = models.OneToOneField(Photo, models.PROTECT, related_name="of_premises")
    taken_on = models.DateField()
    caption = models.CharField(_("what it shows"), max_length=80, blank=True)

    class Meta:
        ordering = ["premises", "-taken_on", "-id"]

    def __str__(self) -> str:
        return f"{self.premises_id} {self.taken_on}"


class PhotoWithdrawal(models.Model):
    """A photo of premises that should not stand there, and why."""

    append_only = True
    describes_register = True

    photo = models.OneToOneField(PremisesPhoto, models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(name="photo_withdrawn_for_a_reason", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return f"{self.photo_id} {self.at:%Y-%m-%d}"
