"""Donations, the fund that they make, and its budgets."""
