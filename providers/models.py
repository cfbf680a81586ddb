"""Gathers the models of this app's concepts."""

from providers.adaptation.models import ItemService
from providers.caregivers.models import Appointment, Caregiver, Qualification, Shift
from providers.divisions.models import Division
from providers.handover.models import Handover, HandoverLine, HandoverPayment, Owner
from providers.inspections.models import Finding, Inspection, ReCheck
from providers.leases.models import (
    Lease,
    LeaseTerms,
    Receipt,
    ReceiptDecision,
    ReceiptPart,
    Refund,
    RefundPayment,
    RentCharge,
    Returned,
)
from providers.operators.models import Operator, PayeeAccount, SafetyCheck, StaffLink, Suspension
from providers.ordering.models import Booking, Closure, OpeningHours, OrderTerms, Sitting, Slot
from providers.premises.models import Premises, StageChange
from providers.proposals.models import PriceProposal
from providers.reminders.models import Reminder, ReminderLine, ReminderRun
from providers.services.models import CashPrice, Offer, Price, Service, TermsVersion

__all__ = [
    "Appointment",
    "Booking",
    "Caregiver",
    "CashPrice",
    "Closure",
    "Division",
    "Finding",
    "Handover",
    "HandoverLine",
    "HandoverPayment",
    "Inspection",
    "ItemService",
    "Lease",
    "LeaseTerms",
    "Offer",
    "OpeningHours",
    "Operator",
    "OrderTerms",
    "Owner",
    "PayeeAccount",
    "Premises",
    "Price",
    "PriceProposal",
    "Qualification",
    "ReCheck",
    "Receipt",
    "ReceiptDecision",
    "ReceiptPart",
    "Refund",
    "RefundPayment",
    "Reminder",
    "ReminderLine",
    "ReminderRun",
    "RentCharge",
    "Returned",
    "SafetyCheck",
    "Service",
    "Shift",
    "Sitting",
    "Slot",
    "StaffLink",
    "StageChange",
    "Suspension",
    "TermsVersion",
]
