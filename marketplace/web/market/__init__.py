"""The market: finding a service, ordering it, and what was ordered."""
