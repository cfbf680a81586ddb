"""Oscar's last page, with our rules: order and holds are one transaction, a refusal is a plain sentence."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from oscar.apps.checkout import views
from oscar.apps.order.exceptions import UnableToPlaceOrder
from oscar.apps.shipping.methods import NoShippingRequired
from oscar.core.loading import get_model

from marketplace.fulfilment.models import CareOrder
from marketplace.fulfilment.operations import Placer, place_order
from marketplace.fulfilment.refusals import CannotOrder
from marketplace.offerings.baskets import ready

Basket = get_model("basket", "Basket")


class PaymentDetailsView(views.PaymentDetailsView):
    """Whoever uses this page sets `request.basket` and its side, `care`, and says who places (`placer`).

    Oscar generates a number, freezes the basket and calls `handle_order_placement`; ours is asked for nothing
    else. Care vouchers are no payment of Oscar's: what they pay is in the holds.
    """

    preview = True
    pre_conditions: list[str] = []
    skip_conditions: list[str] = []
    template_name = template_name_preview = "market/check.html"
    care: Any = None
    placer: Placer

    def get_pre_conditions(self, request: Any) -> list[str]:
        return []

    def get_skip_conditions(self, request: Any) -> list[str]:
        return []

    def build_submission(self, **kwargs: Any) -> dict[str, Any]:
        basket = kwargs.pop("basket", self.request.basket)
        charge = NoShippingRequired().calculate(basket)
        return {
            "user": self.request.user,
            "basket": basket,
            "shipping_address": None,
            "shipping_method": NoShippingRequired(),
            "shipping_charge": charge,
            "billing_address": None,
            "order_total": self.get_order_totals(basket, shipping_charge=charge),
            "surcharges": None,
            "order_kwargs": {},
            "payment_kwargs": {},
            **kwargs,
        }

    def submit(self, **submission: Any) -> HttpResponse:
        """An order placed before under this key is answered again; Oscar would refuse its number."""
        before = CareOrder.objects.filter(key=str(self.care.key)).first()
        if before is not None:
            return self.placed(before)
        return super().submit(**submission)

    def handle_order_placement(
        self, order_number: Any, user: Any, basket: Any, *rest: Any, **kwargs: Any
    ) -> HttpResponse:
        """A refusal is no fault: it is said on the page, and not logged as an error as Oscar would."""
        try:
            order = self.place_order(order_number, user, basket, *rest, **kwargs)
        except UnableToPlaceOrder as refusal:
            self.restore_frozen_basket()
            basket.status = Basket.OPEN
            ready(self.care)
            return self.render_preview(self.request, error=str(refusal))
        basket.submit()
        self.checkout_session.flush()
        return self.placed(order.care)

    def place_order(self, order_number: Any, user: Any, basket: Any, *rest: Any, **kwargs: Any) -> Any:
        try:
            return place_order(
                care=self.care, placer=self.placer, at=timezone.now(), number=order_number
            ).order
        except CannotOrder as refusal:
            raise UnableToPlaceOrder(str(refusal)) from refusal

    def placed(self, order: CareOrder) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('market:order', args=[order.order.number])}?new=1")


# The other pages of Oscar's checkout are not mounted; its start-up asks for their names.
IndexView = views.IndexView
PaymentMethodView = views.PaymentMethodView
ShippingAddressView = views.ShippingAddressView
ShippingMethodView = views.ShippingMethodView
ThankYouView = views.ThankYouView
UserAddressDeleteView = views.UserAddressDeleteView
UserAddressUpdateView = views.UserAddressUpdateView
