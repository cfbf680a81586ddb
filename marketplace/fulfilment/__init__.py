"""From an order to the delivered service: orders, their work orders, and standing orders."""
