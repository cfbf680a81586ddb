"""Gathers the models of this app's concepts."""

from vouchers.adaptation.models import Inspection, Plan, PlanLine, Project, ProjectPhoto
from vouchers.codes.models import ElderCode, PinTry, RecordShare, TokenUse
from vouchers.delegates.models import Call, Consent, DelegateAct, Delegation, OwnRecord, PaperCode
from vouchers.elders.models import Elder, NameKey
from vouchers.funds.models import Donation, FundBudget
from vouchers.offline.models import Serving, SignedRecord
from vouchers.payouts.models import (
    Payout,
    PayoutApproval,
    PayoutDrawing,
    PayoutLine,
    PayoutPayment,
)
from vouchers.photos.models import Photo
from vouchers.programmes.models import IssueRun, Programme
from vouchers.redemption.models import Claim, Redemption, Reversal
from vouchers.review.models import CallBack, CallBackRound, ReviewProgress, RoundOperator, RuleTerms
from vouchers.settlement.models import Approval, Drawing, Objection, Paper, ReviewCase, Statement
from vouchers.terminals.models import EnrolmentCode, Partner, Terminal, TerminalKey
from vouchers.visits.models import Visit, VisitReport
from vouchers.wallets.models import Hold, HoldLine, Movement, Voucher

__all__ = [
    "Approval",
    "Call",
    "CallBack",
    "CallBackRound",
    "Claim",
    "Consent",
    "DelegateAct",
    "Delegation",
    "Donation",
    "Drawing",
    "Elder",
    "ElderCode",
    "EnrolmentCode",
    "FundBudget",
    "Hold",
    "HoldLine",
    "Inspection",
    "IssueRun",
    "Movement",
    "NameKey",
    "Objection",
    "OwnRecord",
    "Paper",
    "PaperCode",
    "Partner",
    "Payout",
    "PayoutApproval",
    "PayoutDrawing",
    "PayoutLine",
    "PayoutPayment",
    "Photo",
    "PinTry",
    "Plan",
    "PlanLine",
    "Programme",
    "Project",
    "ProjectPhoto",
    "RecordShare",
    "Redemption",
    "Reversal",
    "ReviewCase",
    "ReviewProgress",
    "RoundOperator",
    "RuleTerms",
    "Serving",
    "SignedRecord",
    "Statement",
    "Terminal",
    "TerminalKey",
    "TokenUse",
    "Visit",
    "VisitReport",
    "Voucher",
]
