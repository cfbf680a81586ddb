from oscar.apps.checkout import apps
from oscar.apps.order.signals import order_placed


class CheckoutConfig(apps.CheckoutConfig):
    name = "marketplace.shop.checkout"

    def ready(self) -> None:
        """Oscar counts every sale on the product's own row, in our transaction: all orders would wait for it."""
        super().ready()
        from oscar.apps.analytics.receivers import receive_order_placed

        order_placed.disconnect(receive_order_placed)
