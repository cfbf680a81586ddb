"""Rent that was taken, handed to whom it belongs."""
