"""Gathers the models of this app's concepts."""

from marketplace.jobs.models import FilePart, Job, JobFile, JobLine
from marketplace.messages.models import Message
from marketplace.nightly.models import NightlyRun
from marketplace.overview.models import Snapshot

__all__ = ["FilePart", "Job", "JobFile", "JobLine", "Message", "NightlyRun", "Snapshot"]
