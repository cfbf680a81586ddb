"""Gathers the models of this app's concepts."""

from ledger.audit.models import Record
from ledger.banking.models import BankFile, BankLine
from ledger.journal.models import Account, Entry, Period, Transfer
from ledger.outbox.models import Outbox

__all__ = ["Account", "BankFile", "BankLine", "Entry", "Outbox", "Period", "Record", "Transfer"]
