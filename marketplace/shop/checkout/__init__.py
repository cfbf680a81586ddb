"""Checkout: one page that shows what is ordered, and the placing of the order."""
