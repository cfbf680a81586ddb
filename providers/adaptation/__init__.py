"""Home adaptation: the thirty items that are paid for, and which service delivers which of them."""
