"""Gathers the models of this app's concepts."""

from marketplace.fulfilment.models import CareOrder, StandingDay, StandingOrder, WorkOrder
from marketplace.jobs.models import FilePart, Job, JobFile, JobLine
from marketplace.messages.models import Message
from marketplace.nightly.models import NightlyRun
from marketplace.offerings.models import ElderBasket, Listing, Story, Supply, Wish
from marketplace.overview.models import Snapshot
from marketplace.privacy.models import Clearing, Erasure
from marketplace.registers.models import PhotoWithdrawal, PremisesPhoto

__all__ = [
    "CareOrder",
    "Clearing",
    "ElderBasket",
    "Erasure",
    "FilePart",
    "Job",
    "JobFile",
    "JobLine",
    "Listing",
    "Message",
    "NightlyRun",
    "PhotoWithdrawal",
    "PremisesPhoto",
    "Snapshot",
    "StandingDay",
    "StandingOrder",
    "Story",
    "Supply",
    "Wish",
    "WorkOrder",
]
