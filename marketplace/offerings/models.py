"""Side tables, one to one with Oscar's: a product is a service, a stock record an offer, a basket one elder's."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.offerings.words import DRAWN
from providers.models import Offer, Premises, Service
from vouchers.models import Elder, Photo


class Listing(models.Model):
    """A product of the catalogue is one service; here are its words for elders, kept by the bureau."""

    class Drawing(models.TextChoices):
        """Our own pictures (static/img/scenes.svg)."""

        LUNCH = "lunch", _("lunch")
        SUPPER = "supper", _("supper")
        MEAL_BOX = "meal_box", _("a meal brought home")
        BATH = "bath", _("a bath")
        CLEANING = "cleaning", _("cleaning")
        HAIRCUT = "haircut", _("a haircut")
        DOCTOR = "doctor", _("to the doctor together")
        SHOPPING = "shopping", _("shopping")
        EXERCISE = "exercise", _("exercise")
        DAY_CARE = "day_care", _("a day in company")
        SINGING = "singing", _("singing")
        GRAB_RAIL = "grab_rail", _("a grab rail")
        FLOOR = "floor", _("a floor to walk on safely")

    describes_register: ClassVar[bool] = True  # no use of a service that would keep its terms from changing

    product = models.OneToOneField("catalogue.Product", models.PROTECT, related_name="listing")
    service = models.OneToOneField(Service, models.PROTECT, related_name="listing")
    words = models.CharField(
        max_length=300, blank=True, help_text="what it is, in one or two plain sentences"
    )
    drawing = models.CharField(max_length=12, choices=Drawing, blank=True)
    photo = models.OneToOneField(Photo, models.PROTECT, null=True, blank=True, related_name="of_service")
    photo_shows = models.CharField(
        max_length=120, blank=True, help_text="the photo in words, for who does not see it"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="listing_photo_in_words",
                condition=Q(photo__isnull=True, photo_shows="")
                | (Q(photo__isnull=False) & ~Q(photo_shows="")),
            )
        ]

    def __str__(self) -> str:
        return str(self.service)

    @property
    def drawn(self) -> str:
        """The picture that stands with the service; without one of its own, that of its kind."""
        return self.drawing or DRAWN[self.service.category]


class Supply(models.Model):
    """A stock record is one offer. `sought` holds what it is found by (search.py)."""

    stockrecord = models.OneToOneField("partner.StockRecord", models.PROTECT, related_name="supply")
    offer = models.OneToOneField(Offer, models.PROTECT, related_name="supply")
    listed = models.BooleanField(default=True, help_text="a lease is in force: somebody is there to serve")
    words_hash = models.CharField(
        max_length=64, blank=True, help_text="of the texts that `sought` was made of"
    )
    sought = SearchVectorField(null=True)

    class Meta:
        verbose_name_plural = "supplies"
        indexes = [GinIndex(fields=["sought"], name="supply_sought")]

    def __str__(self) -> str:
        return str(self.offer_id)


class Story(models.Model):
    """What the house was and is, in a sentence or two."""

    describes_register: ClassVar[bool] = True

    premises = models.OneToOneField(Premises, models.CASCADE, related_name="story")
    words = models.CharField(max_length=300)

    class Meta:
        verbose_name_plural = "stories"

    def __str__(self) -> str:
        return str(self.premises)


class ElderBasket(models.Model):
    """One basket is filled by one person for one elder. `key` is the order's: sent twice, it is placed once."""

    basket = models.OneToOneField("basket.Basket", models.CASCADE, related_name="care")
    elder = models.ForeignKey(Elder, models.PROTECT, related_name="baskets", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="care_baskets", db_index=False
    )
    key = models.UUIDField(unique=True, default=uuid.uuid4)

    class Meta:
        indexes = [models.Index(fields=["user", "elder"], name="basket_of_user_for_elder")]

    def __str__(self) -> str:
        return str(self.key)


class Wish(models.Model):
    """When and where one line of a basket is wanted."""

    line = models.OneToOneField("basket.Line", models.CASCADE, related_name="wish")
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    address_sealed = models.BinaryField(null=True, help_text="bound to the basket's key")

    def __str__(self) -> str:
        return f"{self.offer_id} {self.starts_at:%Y-%m-%d %H:%M}"
