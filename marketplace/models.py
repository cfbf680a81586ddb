"""Gathers the models of this app's concepts."""

from marketplace.nightly.models import NightlyRun

__all__ = ["NightlyRun"]
