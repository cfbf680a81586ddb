"""What the admin shows of this app; importing registers it."""

from marketplace.nightly import admin

__all__ = ["admin"]
