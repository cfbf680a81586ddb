"""Gathers the models of this app's concepts."""

from vouchers.elders.models import Elder
from vouchers.programmes.models import IssueRun, Programme
from vouchers.redemption.models import Claim, Redemption, Reversal
from vouchers.settlement.models import Approval, ReviewCase, Statement
from vouchers.wallets.models import Hold, HoldLine, Movement, Voucher

__all__ = [
    "Approval",
    "Claim",
    "Elder",
    "Hold",
    "HoldLine",
    "IssueRun",
    "Movement",
    "Programme",
    "Redemption",
    "Reversal",
    "ReviewCase",
    "Statement",
    "Voucher",
]
