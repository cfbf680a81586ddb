"""Photos of premises: what public property looked like, and when that was seen."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from providers.models import Premises
from vouchers.models import Photo


class PremisesPhoto(models.Model):
    """A photo of premises; never taken away, newer ones stand before it. Whom it was kept by, the photo says."""

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
