"""Gathers the models of this app's concepts."""

from marketplace.messages.models import Message
from marketplace.nightly.models import NightlyRun

__all__ = ["Message", "NightlyRun"]
