"""Baskets of elders: one person's open basket for one elder, and the lines that are wanted in it."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from oscar.core.loading import get_model

from marketplace.offerings.models import ElderBasket, Supply, Wish
from marketplace.offerings.strategy import CareStrategy
from providers.models import Offer
from vouchers.elders import sealing
from vouchers.elders.models import Elder
from vouchers.redemption import terms

Basket = get_model("basket", "Basket")


def open_basket(*, user: Any, elder: Elder) -> ElderBasket | None:
    """The basket that this person is filling for this elder, if any. One query."""
    return (
        ElderBasket.objects.filter(user=user, elder=elder, basket__status=Basket.OPEN)
        .select_related("basket", "elder")
        .order_by("-id")
        .first()
    )


@transaction.atomic
def new_basket(*, user: Any, elder: Elder, key: Any = None) -> ElderBasket:
    """This function will begin a basket for an elder; `key` is the caller's, or one is made."""
    basket = Basket.objects.create(owner=user)
    return ElderBasket.objects.create(basket=basket, elder=elder, user=user, **({"key": key} if key else {}))


@transaction.atomic
def want(
    *, care: ElderBasket, offer: Offer, starts_at: datetime, quantity: int = 1, address: str = ""
) -> Wish:
    """This function will put one service at one time into a basket; the same again changes how much of it.

    A second time of the same service is a line of its own.
    """
    supply = Supply.objects.select_related("stockrecord").get(offer=offer)
    line, _ = care.basket.lines.update_or_create(
        line_reference=f"{supply.stockrecord_id}-{starts_at.astimezone(UTC):%Y%m%d%H%M}",
        defaults={
            "product_id": supply.stockrecord.product_id,
            "stockrecord": supply.stockrecord,
            "quantity": quantity,
            "price_currency": "CNY",
        },
    )
    sealed = sealing.seal(address, field="address", row=str(care.key)) if address else None
    wish, _ = Wish.objects.update_or_create(
        line=line, defaults={"offer": offer, "starts_at": starts_at, "address_sealed": sealed}
    )
    care.basket._lines = None
    return wish


def address_of(care: ElderBasket, wish: Wish) -> str:
    if wish.address_sealed is None:
        return ""
    return sealing.open_sealed(wish.address_sealed, field="address", row=str(care.key))


def ready(care: ElderBasket) -> list[Any]:
    """The basket's lines with wish, offer, terms of ordering and this elder's price; the basket has its strategy.

    The number of queries does not grow with the lines.
    """
    basket = care.basket
    basket.strategy = CareStrategy(care.elder, terms.current())
    basket._lines = (  # evaluated below, once: Oscar counts it, and changes the lines in it
        basket.lines.select_related(
            "product__product_class",
            "product__listing",
            "stockrecord__partner",
            "wish__offer__premises__division",
            "wish__offer__service",
            "wish__offer__order_terms",
        )
        .prefetch_related("attributes")
        .order_by("wish__starts_at", "id")
    )
    for line in basket._lines:
        line.basket = basket  # Oscar asks each line for its basket's strategy
    return basket._lines
