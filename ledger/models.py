"""Gathers the models of this app's concepts."""

from ledger.audit.models import Record
from ledger.banking.models import BankFile, BankLine, BankMapping
from ledger.journal.models import Account, Entry, Period, Transfer
from ledger.outbox.models import Outbox
from ledger.seals.models import Head, Link, SealApproval, SealUse

__all__ = [
    "Account",
    "BankFile",
    "BankLine",
    "BankMapping",
    "Entry",
    "Head",
    "Link",
    "Outbox",
    "Period",
    "Record",
    "SealApproval",
    "SealUse",
    "Transfer",
]
