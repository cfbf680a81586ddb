"""Which service delivers which of the thirty items."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.adaptation.items import ITEMS, Item
from providers.services.models import Service


class ItemService(models.Model):
    """One item is delivered by several services (of several makes), one service delivers one item."""

    describes_register = True

    service = models.OneToOneField(Service, models.PROTECT, related_name="adaptation")
    code = models.CharField(max_length=5, help_text="of the item")

    class Meta:
        ordering = ["code", "service"]
        constraints = [
            models.CheckConstraint(
                name="adaptation_item_is_listed",
                condition=Q(code__in=sorted(ITEMS)),
                violation_error_message=_("This is none of the thirty items."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.service_id}"

    @property
    def item(self) -> Item:
        return ITEMS[self.code]
